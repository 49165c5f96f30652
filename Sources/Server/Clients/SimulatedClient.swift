internal import IncrementProtocol
internal import SocketAddresses
internal import SystemCalls

/// A simulated client, which sends its messages in three pieces with pauses between them, and checks the replies.
public struct SimulatedClient: Sendable {
    /// The pieces that every client sends.
    public static let pieces = ["^abc$de^abte$f", "xyz^123", "25$^ab0000$abab"]

    /// The durations that determine a client's pace.
    public struct Pace: Sendable {
        /// The pause between two pieces.
        public var pause: Duration
        /// The time from the last reply until the client closes the connection.
        public var farewell: Duration
        /// The timeout for one client, from connecting to the last reply.
        public var timeout: Duration

        /// Makes a pace.
        public init(
            pause: Duration = .seconds(1), farewell: Duration = .milliseconds(200), timeout: Duration = .seconds(30)
        ) {
            self.pause = pause
            self.farewell = farewell
            self.timeout = timeout
        }
    }

    /// The result of one client.
    ///
    /// All times are relative to the start of the run of all clients.
    public struct Outcome: Sendable {
        /// The client's name, for example `conn1`.
        public var name: String
        /// When the client started to connect.
        public var started: Duration
        /// When the client received the greeting, or `nil` if it did not receive one.
        public var greeted: Duration?
        /// When the client closed the connection.
        public var ended: Duration
        /// The reason why the client failed, or `nil` if all replies were correct.
        public var failure: String?
    }

    let name: String
    let address: SocketAddress
    let pace: Pace
    /// The time at which the run of all clients started.
    let epoch: ContinuousClock.Instant
    /// Called with each line of the transcript, on the client's thread.
    let report: @Sendable (String) -> Void

    /// Runs the client on the calling thread, from connecting to closing.
    func run() -> Outcome {
        var outcome = Outcome(name: name, started: epoch.duration(to: .now), ended: .zero)
        do throws(Failure) { try converse(&outcome) } catch { outcome.failure = error.reason }
        outcome.ended = epoch.duration(to: .now)
        return outcome
    }

    struct Failure: Error { let reason: String }

    private func converse(_ outcome: inout Outcome) throws(Failure) {
        let deadline = ContinuousClock.now.advanced(by: pace.timeout)
        let socket: StreamSocket
        do throws(SystemCallError) { socket = try StreamSocket.connect(to: address, timeout: pace.timeout) } catch {
            throw Failure(reason: "\(error) (\(address))")
        }
        var exchange = Exchange(expected: SimulatedClient.expectedReplies.flatMap { $0 })
        try receive(on: socket, &exchange, until: deadline) { $0.isGreeted }
        outcome.greeted = epoch.duration(to: .now)
        log("connected...")
        try sendPieces(on: socket, &exchange, deadline)
        // If the server sends any more bytes, `receiveAll` throws.
        try receiveAll(on: socket, &exchange, until: ContinuousClock.now.advanced(by: pace.farewell))
        log("disconnecting")
    }

    private func sendPieces(
        on socket: borrowing StreamSocket, _ exchange: inout Exchange, _ deadline: ContinuousClock.Instant
    ) throws(Failure) {
        for (index, piece) in SimulatedClient.pieces.enumerated() {
            let bytes = Array(piece.utf8)
            log("sending \(ByteLiteral.describe(bytes))")
            exchange.allowedCount += SimulatedClient.expectedReplies[index].count
            do throws(SystemCallError) { _ = try socket.sendAll(bytes.span) } catch {
                throw Failure(reason: "\(error) while sending piece \(index + 1)")
            }
            if index + 1 < SimulatedClient.pieces.count {
                let pauseEnd = min(deadline, ContinuousClock.now.advanced(by: pace.pause))
                try receiveAll(on: socket, &exchange, until: pauseEnd)
            } else {
                try receive(on: socket, &exchange, until: deadline) { $0.isComplete }
            }
        }
    }

    /// Receives bytes and checks them, until `isEnough` returns true.
    private func receive(
        on socket: borrowing StreamSocket, _ exchange: inout Exchange, until deadline: ContinuousClock.Instant,
        _ isEnough: (Exchange) -> Bool
    ) throws(Failure) {
        while !isEnough(exchange) {
            guard ContinuousClock.now < deadline else {
                throw Failure(reason: "no reply within \(pace.timeout): \(exchange.missing)")
            }
            try receiveOnce(on: socket, &exchange, until: deadline)
        }
    }

    /// Waits for bytes, receives them with one call, and checks them.
    private func receiveOnce(
        on socket: borrowing StreamSocket, _ exchange: inout Exchange, until deadline: ContinuousClock.Instant
    ) throws(Failure) {
        let bytes: [UInt8]
        do throws(SystemCallError) {
            let left = ContinuousClock.now.duration(to: deadline)
            guard try socket.wait(for: .readable, timeout: left) else { return }
            bytes = try socket.receive(upTo: 4096)
        } catch { throw Failure(reason: "\(error): \(exchange.missing)") }
        if bytes.isEmpty { throw Failure(reason: "the server closed the connection: \(exchange.missing)") }
        let reply = try exchange.receive(bytes)
        if !reply.isEmpty { log("received \(ByteLiteral.describe(reply))") }
    }

    /// Receives bytes and checks them, until the time `end`.
    private func receiveAll(
        on socket: borrowing StreamSocket, _ exchange: inout Exchange, until end: ContinuousClock.Instant
    ) throws(Failure) {
        while ContinuousClock.now < end { try receiveOnce(on: socket, &exchange, until: end) }
    }

    private func log(_ text: String) { report("INFO:\(WallClock.localTimestamp()):\(name) \(text)") }

    /// The correct reply to each piece, as computed by `ServerMachine`.
    static var expectedReplies: [[UInt8]] {
        var machine = ServerMachine()
        return pieces.map { piece in
            let input = Array(piece.utf8)
            return [UInt8](capacity: input.count) { machine.receive(input.span, into: &$0) }
        }
    }
}
