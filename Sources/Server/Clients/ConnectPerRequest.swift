internal import IncrementProtocol
public import SocketAddresses
public import SystemCalls

/// A client that connects anew for each message: connection, greeting, message, answer, both ends.
public enum ConnectPerRequest {
    /// What a number of requests amounted to.
    public struct Outcome: Sendable {
        /// How many requests were answered.
        public var answers = 0
        /// How long they took.
        public var elapsed = Duration.zero

        /// Requests per second.
        public var rate: Double { elapsed > .zero ? Double(answers) / (elapsed / .seconds(1)) : 0 }
    }

    /// How long a server may take for a request.
    private static let patience: Duration = .seconds(2)

    /// Makes requests one after the other.
    ///
    /// - Parameters:
    ///   - count: how many, at most.
    ///   - time: how long, at most; a request that has begun is ended.
    /// - Throws: what went wrong with a request; `EPROTO` for a wrong answer or none.
    public static func run(
        against address: SocketAddress, count: Int, time: Duration
    ) throws(SystemCallError) -> Outcome {
        var input = ReusableBuffer(capacity: 64)
        var outcome = Outcome()
        let begin = ContinuousClock.now
        while outcome.answers < count, begin.duration(to: .now) < time {
            try request(from: address, &input)
            outcome.answers += 1
        }
        outcome.elapsed = begin.duration(to: .now)
        return outcome
    }

    private static func request(from address: SocketAddress, _ input: inout ReusableBuffer) throws(SystemCallError) {
        let socket = try StreamSocket.connect(to: address, timeout: patience)
        try socket.setReceiveTimeout(patience)
        _ = try socket.sendAll(message.span)
        try socket.shutdown(.write)
        var received: [UInt8] = []
        while case .bytes = try input.fill({ output throws(SystemCallError) in try socket.receive(into: &output) }) {
            input.withBytes { for index in $0.indices { received.append($0[index]) } }
        }
        guard received == answer else {
            throw SystemCallError(code: Errno.protocolError, call: "a request was answered wrongly or not at all")
        }
    }

    private static let message: [UInt8] = [ServerMachine.opening, 0x61, 0x62, 0x63, ServerMachine.closing]
    private static let answer: [UInt8] = [ServerMachine.greeting, 0x62, 0x63, 0x64]
}
