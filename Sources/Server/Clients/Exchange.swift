internal import IncrementProtocol

/// The replies that one simulated client expects, and the number of bytes received so far.
struct Exchange {
    private let expected: [UInt8]
    private var machine = ClientMachine()
    private var receivedCount = 0
    /// The number of bytes in the replies to the messages sent so far; the server must not send more bytes.
    var allowedCount = 0

    init(expected: [UInt8]) { self.expected = expected }

    /// Whether the greeting has been received.
    var isGreeted: Bool { machine.isGreeted }

    /// Whether all bytes of the replies have been received.
    var isComplete: Bool { receivedCount == expected.count }

    /// A description of the bytes that have not been received, for an error message.
    var missing: String {
        if !isGreeted { return "the greeting b'*' is missing" }
        return isComplete
            ? "all replies have arrived" : "\(ByteLiteral.describe(Array(expected[receivedCount...]))) is missing"
    }

    /// Checks received bytes.
    ///
    /// - Returns: the received bytes without the greeting.
    mutating func receive(_ bytes: [UInt8]) throws(SimulatedClient.Failure) -> [UInt8] {
        func failure(_ reason: String) -> SimulatedClient.Failure { SimulatedClient.Failure(reason: reason) }
        if isComplete, isGreeted { throw failure("unexpected \(ByteLiteral.describe(bytes)) after the last reply") }
        let reply = Array(isGreeted ? bytes[...] : bytes.dropFirst())
        var surplus: [UInt8] = []
        let expected = self.expected
        switch machine.receive(bytes.span, expecting: expected.span) {
        case .needMore: receivedCount += reply.count
        case .complete(let consumed):
            receivedCount = expected.count
            surplus = Array(bytes[consumed...])
        case .wrongGreeting(let actual):
            throw failure("the server sent \(ByteLiteral.describe([actual])) instead of the greeting b'*'")
        case .mismatch(let offset, let wanted, let actual):
            let (actual, wanted) = (ByteLiteral.describe([actual]), ByteLiteral.describe([wanted]))
            throw failure("byte \(offset) of the replies is \(actual) instead of \(wanted)")
        }
        guard receivedCount <= allowedCount else {
            let early = ByteLiteral.describe(Array(expected[allowedCount..<receivedCount]))
            throw failure("received the reply \(early) before the client sent its request")
        }
        guard surplus.isEmpty else { throw failure("unexpected \(ByteLiteral.describe(surplus)) after the last reply") }
        return reply
    }
}
