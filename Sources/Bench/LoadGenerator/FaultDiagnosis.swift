/// The kind of fault that caused unexpected bytes.
enum FaultDiagnosis: Hashable {
    /// At least one byte is wrong, and the bytes match no other reply.
    case wrong
    /// The bytes belong to another connection's reply. The value is the index of that connection in `others`.
    case crossTalk(Int)
    /// This many expected bytes are missing, and the received bytes continue after the gap.
    case loss(Int)
    /// This many received bytes belong to no reply, and the expected bytes follow them.
    case surplus(Int)

    /// Compares the received bytes with the expected bytes and with the bytes that other connections await.
    ///
    /// A few bytes can be equal by chance, so a match requires at least four equal bytes. If enough bytes were
    /// received, up to sixteen bytes are compared.
    ///
    /// - Parameters:
    ///   - received: the received bytes, from the first wrong byte on.
    ///   - expected: the bytes that should have arrived instead, up to the end of the reply to the last request that
    ///     was sent.
    ///   - others: the reply bytes that each other connection awaits.
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
