internal import IncrementProtocol

/// The replies that one simulated client expects, and the number of bytes received so far.
struct Exchange {
    private let expected: [UInt8]
    private var machine = ClientMachine()
    private var receivedCount = 0
    /// The number of reply bytes that the messages sent so far can have caused.
    var allowedCount = 0

    init(expected: [UInt8]) { self.expected = expected }

    /// Whether the greeting was received.
    var isGreeted: Bool { machine.isGreeted }

    /// Whether every byte of the replies was received.
    var isComplete: Bool { receivedCount == expected.count }

    /// A description of the bytes that were not received, for an error.
    var missing: String {
        if !isGreeted { return "the greeting b'*' is missing" }
        return isComplete
            ? "nothing is missing" : "\(ByteLiteral.describe(Array(expected[receivedCount...]))) is missing"
    }

    private func checkNotEarly() throws(SimulatedClient.Failure) {
        guard receivedCount > allowedCount else { return }
        let early = ByteLiteral.describe(Array(expected[allowedCount..<receivedCount]))
        throw SimulatedClient.Failure(reason: "received \(early) before the request for it was sent")
    }

    /// Checks received bytes.
    ///
    /// - Returns: the bytes that belong to replies.
    mutating func receive(_ bytes: [UInt8]) throws(SimulatedClient.Failure) -> [UInt8] {
        let wasGreeted = isGreeted
        if isComplete, isGreeted, !bytes.isEmpty {
            throw SimulatedClient.Failure(reason: "surplus \(ByteLiteral.describe(bytes)) after the reply")
        }
        let expected = self.expected
        let verdict = machine.receive(bytes.span, expecting: expected.span)
        let reply = Array(wasGreeted ? bytes[...] : bytes.dropFirst())
        switch verdict {
        case .needMore:
            receivedCount += reply.count
            try checkNotEarly()
            return reply
        case .complete(let consumed):
            receivedCount = expected.count
            try checkNotEarly()
            guard consumed == bytes.count else {
                let surplus = ByteLiteral.describe(Array(bytes[consumed...]))
                throw SimulatedClient.Failure(reason: "surplus \(surplus) after the reply")
            }
            return reply
        case .wrongGreeting(let actual):
            throw SimulatedClient.Failure(reason: "greeted with \(ByteLiteral.describe([actual])) instead of b'*'")
        case .mismatch(let offset, let wanted, let actual):
            throw SimulatedClient.Failure(
                reason: "byte \(offset) of the replies is \(ByteLiteral.describe([actual])) instead of "
                    + "\(ByteLiteral.describe([wanted]))")
        }
    }
}
