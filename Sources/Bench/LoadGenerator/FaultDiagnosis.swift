/// The classification of unexpected bytes.
enum FaultDiagnosis: Hashable {
    /// One or more bytes are wrong and belong to no other reply.
    case wrong
    /// They belong to the reply of another connection: the one with this index in `others`.
    case crossTalk(Int)
    /// This many bytes are missing before them.
    case loss(Int)
    /// This many bytes belong to no reply; the expected bytes follow them.
    case surplus(Int)

    /// Compares the received bytes with the expected bytes and with those of other connections.
    ///
    /// At least four bytes have to agree, and up to sixteen if that many were received: fewer can agree by chance.
    ///
    /// - Parameters:
    ///   - received: the bytes from the first wrong one on.
    ///   - expected: the bytes that should have arrived instead, as far as requests were sent.
    ///   - others: the bytes that other connections await.
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
