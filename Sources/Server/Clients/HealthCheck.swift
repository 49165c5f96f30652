internal import IncrementProtocol
public import SocketAddresses
internal import SystemCalls

/// Checks that a server greets and replies to a message.
public struct HealthCheck: Sendable {
    /// The reason a server is not healthy.
    public struct Failure: Error, CustomStringConvertible {
        /// The address of the server, and what failed.
        public let description: String
    }

    /// The server's address.
    public var address: SocketAddress

    /// The timeout of the whole check.
    public var timeout: Duration

    /// Makes a check.
    public init(of address: SocketAddress, timeout: Duration) {
        self.address = address
        self.timeout = timeout
    }

    /// Connects, receives the greeting, sends a message and receives the reply, on the calling thread.
    ///
    /// - Throws: if something is missing or wrong.
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

    /// What is wrong with the received bytes; `nil` if they are right.
    private func fault(
        _ bytes: [UInt8], _ what: String, on socket: borrowing StreamSocket, until deadline: ContinuousClock.Instant
    ) throws(SystemCallError) -> String? {
        var buffer = ReusableBuffer(capacity: bytes.count)
        guard try socket.wait(for: .readable, timeout: max(.zero, ContinuousClock.now.duration(to: deadline))) else {
            return "it did not send \(what) in time"
        }
        let result = try buffer.fill { output throws(SystemCallError) in try socket.receive(into: &output) }
        if result == .end { return "it closed the connection before \(what); its log has the reason" }
        let isRight = buffer.withBytes { received in received.indices.map { received[$0] } == bytes }
        return isRight ? nil : "it sent something else instead of \(what)"
    }
}
