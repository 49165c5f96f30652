/// What bytes are that are not the ones expected.
enum FaultDiagnosis: Hashable {
    /// One byte is wrong, or all of them and nobody's.
    case wrong
    /// They answer a request of another connection: the one with this index among those that were given.
    case crossTalk(Int)
    /// So many bytes are missing before them.
    case loss(Int)
    /// So many of them answer nothing, and the expected ones follow.
    case surplus(Int)

    /// Tells what has come from what could have come.
    ///
    /// Bytes are taken for others only where at least four agree, and up to sixteen where there are as many: fewer agree
    /// by chance.
    ///
    /// - Parameters:
    ///   - received: what has come, from the first wrong byte on.
    ///   - expected: what should have come instead, as far as requests were sent.
    ///   - others: what the other connections await.
    static func of(received: [UInt8], expected: [UInt8], others: [[UInt8]]) -> FaultDiagnosis {
        let received = received[...]
        let expected = expected[...]
        let stranger = others.firstIndex { agree(received, $0[...], atLeast: least) }
        if expected.isEmpty { return stranger.map { .crossTalk($0) } ?? .surplus(received.count) }
        if agree(received.dropFirst(), expected.dropFirst(), atLeast: 1) { return .wrong }
        if let stranger { return .crossTalk(stranger) }
        let needed = max(least, min(received.count, most))
        if let lost = (1..<max(2, expected.count)).first(where: {
            agree(received, expected.dropFirst($0), atLeast: needed)
        }) {
            return .loss(lost)
        }
        let added = (1..<max(2, received.count)).first {
            agree(received.dropFirst($0), expected, atLeast: min(least, expected.count))
        }
        return added.map { .surplus($0) } ?? .wrong
    }

    private static let least = 4
    private static let most = 16

    private static func agree(_ left: ArraySlice<UInt8>, _ right: ArraySlice<UInt8>, atLeast least: Int) -> Bool {
        let count = min(left.count, right.count, most)
        return count >= least && left.prefix(count) == right.prefix(count)
    }
}
