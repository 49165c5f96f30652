internal import IncrementProtocol
internal import SocketAddresses
internal import SystemCalls

/// A simulated client, which sends messages in three pieces with pauses and checks the replies.
public struct SimulatedClient: Sendable {
    /// The pieces that clients send.
    public static let pieces = ["^abc$de^abte$f", "xyz^123", "25$^ab0000$abab"]

    /// The durations for which clients wait.
    public struct Pace: Sendable {
        /// The pause between two pieces.
        public var pause: Duration
        /// The pause between the last reply and closing.
        public var farewell: Duration
        /// The limit on the total duration of a client.
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

    /// The result of one client; times are relative to the start of all clients.
    public struct Outcome: Sendable {
        /// The client's name, for example `conn1`.
        public var name: String
        /// When it started to connect.
        public var started: Duration
        /// When it received the greeting; `nil` if it did not.
        public var greeted: Duration?
        /// When it closed the connection.
        public var ended: Duration
        /// The reason for a failure; `nil` if every byte was right.
        public var failure: String?
    }

    let name: String
    let address: SocketAddress
    let pace: Pace
    /// The start of all clients.
    let epoch: ContinuousClock.Instant
    /// Receives each line of the transcript, on the client's thread.
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
        // The server must send nothing more.
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

    /// Receives until `isEnough` returns true.
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

    /// Waits for bytes, receives once, and checks the received bytes.
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

    /// Receives until the end of a pause, and checks the received bytes.
    private func receiveAll(
        on socket: borrowing StreamSocket, _ exchange: inout Exchange, until end: ContinuousClock.Instant
    ) throws(Failure) {
        while ContinuousClock.now < end { try receiveOnce(on: socket, &exchange, until: end) }
    }

    private func log(_ text: String) { report("INFO:\(WallClock.localTimestamp()):\(name) \(text)") }

    /// The correct reply to each piece, computed by `ServerMachine`.
    static var expectedReplies: [[UInt8]] {
        var machine = ServerMachine()
        return pieces.map { piece in
            let input = Array(piece.utf8)
            return [UInt8](capacity: input.count) { machine.receive(input.span, into: &$0) }
        }
    }
}
