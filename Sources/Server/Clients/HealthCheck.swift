internal import IncrementProtocol
public import SocketAddresses
internal import SystemCalls

/// Checks that a server sends its greeting and replies to a message.
public enum HealthCheck {
    /// Connects, waits for the greeting, sends a message and waits for the reply.
    ///
    /// The call blocks the calling thread.
    ///
    /// - Parameter timeout: the timeout for the whole check.
    /// - Returns: the server's address and the reason for the failure, or `nil` if the check has succeeded.
    public static func failure(of address: SocketAddress, timeout: Duration) -> String? {
        let deadline = ContinuousClock.now.advanced(by: timeout)
        do throws(SystemCallError) {
            let socket = try StreamSocket.connect(to: address, timeout: timeout)
            var fault = try fault([ServerMachine.greeting], "the greeting", on: socket, until: deadline)
            if fault == nil {
                _ = try socket.sendAll([ServerMachine.opening, 0x61, ServerMachine.closing].span)
                fault = try self.fault([0x62], "the reply", on: socket, until: deadline)
            }
            return fault.map { "\(address): \($0)" }
        } catch { return "\(address): \(error)" }
    }

    /// Receives bytes and compares them with the expected bytes.
    ///
    /// - Returns: a description of the fault, or `nil` if the bytes are correct.
    private static func fault(
        _ bytes: [UInt8], _ what: String, on socket: borrowing StreamSocket, until deadline: ContinuousClock.Instant
    ) throws(SystemCallError) -> String? {
        guard try socket.wait(for: .readable, timeout: ContinuousClock.now.duration(to: deadline)) else {
            return "the server did not send \(what) in time"
        }
        let received = try socket.receive(upTo: bytes.count)
        if received.isEmpty { return "the server closed the connection before \(what); see its log for the reason" }
        return received == bytes ? nil : "the server sent wrong bytes instead of \(what)"
    }
}
