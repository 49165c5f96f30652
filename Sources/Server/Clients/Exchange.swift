internal import IncrementProtocol

/// What one simulated client expects, and how far it has come.
struct Exchange {
    private let expected: [UInt8]
    private var machine = ClientMachine()
    private var receivedCount = 0
    /// How many bytes of the answer what has been sent so far allows.
    var allowedCount = 0

    init(expected: [UInt8]) { self.expected = expected }

    /// Whether the greeting has come.
    var isGreeted: Bool { machine.isGreeted }

    /// Whether every byte of the answer has come.
    var isComplete: Bool { receivedCount == expected.count }

    /// What has not come, for an error.
    var missing: String {
        if !isGreeted { return "the greeting b'*' is missing" }
        return isComplete
            ? "nothing is missing" : "\(ByteLiteral.describe(Array(expected[receivedCount...]))) is missing"
    }

    private func checkNotEarly() throws(SimulatedClient.Failure) {
        guard receivedCount > allowedCount else { return }
        let early = ByteLiteral.describe(Array(expected[allowedCount..<receivedCount]))
        throw SimulatedClient.Failure(reason: "\(early) came before what it answers was sent")
    }

    /// Checks bytes that have come.
    ///
    /// - Returns: those of them that belong to the answer.
    mutating func receive(_ bytes: [UInt8]) throws(SimulatedClient.Failure) -> [UInt8] {
        let wasGreeted = isGreeted
        if isComplete, isGreeted, !bytes.isEmpty {
            throw SimulatedClient.Failure(reason: "surplus \(ByteLiteral.describe(bytes)) after the answer")
        }
        let expected = self.expected
        let verdict = machine.receive(bytes.span, expecting: expected.span)
        let answer = Array(wasGreeted ? bytes[...] : bytes.dropFirst())
        switch verdict {
        case .needMore:
            receivedCount += answer.count
            try checkNotEarly()
            return answer
        case .complete(let consumed):
            receivedCount = expected.count
            try checkNotEarly()
            guard consumed == bytes.count else {
                let surplus = ByteLiteral.describe(Array(bytes[consumed...]))
                throw SimulatedClient.Failure(reason: "surplus \(surplus) after the answer")
            }
            return answer
        case .wrongGreeting(let actual):
            throw SimulatedClient.Failure(reason: "greeted with \(ByteLiteral.describe([actual])) instead of b'*'")
        case .mismatch(let offset, let wanted, let actual):
            throw SimulatedClient.Failure(
                reason: "byte \(offset) of the answer is \(ByteLiteral.describe([actual])) instead of "
                    + "\(ByteLiteral.describe([wanted]))")
        }
    }
}
