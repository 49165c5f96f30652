internal import IncrementProtocol
public import SocketAddresses
internal import SystemCalls

/// A check that a server sends its greeting and replies to a message.
public struct HealthCheck: Sendable {
    /// The reason why a check failed.
    public struct Failure: Error, CustomStringConvertible {
        /// The server and the reason.
        public let description: String
    }

    /// The server's address.
    public var address: SocketAddress

    /// The timeout for the whole check.
    public var timeout: Duration

    /// Makes a check.
    public init(of address: SocketAddress, timeout: Duration) {
        self.address = address
        self.timeout = timeout
    }

    /// Connects, waits for the greeting, sends a message and waits for the reply, on the calling thread.
    public func run() throws(Failure) {
        let deadline = ContinuousClock.now.advanced(by: timeout)
        let fault: String?
        do throws(SystemCallError) { fault = try self.fault(until: deadline) } catch {
            throw Failure(description: "\(address): \(error)")
        }
        if let fault { throw Failure(description: "\(address): \(fault)") }
    }

    private func fault(until deadline: ContinuousClock.Instant) throws(SystemCallError) -> String? {
        let socket = try StreamSocket.connect(to: address, timeout: timeout)
        if let fault = try fault([ServerMachine.greeting], "the greeting", on: socket, until: deadline) { return fault }
        _ = try socket.sendAll([ServerMachine.opening, 0x61, ServerMachine.closing].span)
        return try fault([0x62], "the reply", on: socket, until: deadline)
    }

    /// The fault of the received bytes, or `nil` if they are the expected ones.
    private func fault(
        _ bytes: [UInt8], _ what: String, on socket: borrowing StreamSocket, until deadline: ContinuousClock.Instant
    ) throws(SystemCallError) -> String? {
        var buffer = ReusableBuffer(capacity: bytes.count)
        guard try socket.wait(for: .readable, timeout: max(.zero, ContinuousClock.now.duration(to: deadline))) else {
            return "the server did not send \(what) in time"
        }
        let result = try buffer.fill { output throws(SystemCallError) in try socket.receive(into: &output) }
        if result == .end { return "the server closed the connection before \(what); see its log for the reason" }
        let isRight = buffer.withBytes { received in received.indices.map { received[$0] } == bytes }
        return isRight ? nil : "the server sent wrong bytes instead of \(what)"
    }
}
