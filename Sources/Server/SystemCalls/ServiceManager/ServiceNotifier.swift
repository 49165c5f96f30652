internal import CLinux
internal import Glibc

// @unchecked Sendable: the address is written before anybody else knows the object, and only read from then on.
/// Tells a service manager how the process is doing: datagrams to its socket (`NOTIFY_SOCKET`), as `sd_notify` sends.
///
/// Nothing here waits, and `send` may be called from any thread and in a signal handler.
@safe
public final class ServiceNotifier: @unchecked Sendable {
    /// What is told.
    public enum Notification: Hashable, Sendable {
        /// The process serves (`READY=1`).
        case ready
        /// The process has begun to stop (`STOPPING=1`).
        case stopping
        /// The process is alive (`WATCHDOG=1`).
        case alive
        /// What the manager shows to people (`STATUS=`), one line; not in a signal handler, since it allocates.
        case status(String)
    }

    /// How a notification went where it did not fail.
    public enum Outcome: Hashable, Sendable {
        /// The manager will read it.
        case sent
        /// The manager's queue is full: nothing was sent.
        case wouldBlock
    }

    private let socket: FileDescriptor
    private let address: UnsafeMutableRawBufferPointer

    /// Opens a socket, which no program that this one runs inherits (`socket`); nothing is sent yet.
    ///
    /// - Throws: where the process has no descriptor left.
    public init(to name: NotifySocketName) throws(SystemCallError) {
        let type = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        socket = FileDescriptor(owning: try system("socket") { Glibc.socket(AF_UNIX, type, 0) })
        unsafe address = .allocate(byteCount: name.form.count, alignment: MemoryLayout<sockaddr_un>.alignment)
        unsafe address.copyBytes(from: name.form)
    }

    deinit { unsafe address.deallocate() }

    /// Sends a notification (`sendto`); one at a time, so that the manager reads them in the order of the calls.
    ///
    /// The address is looked up each time: a manager that has been restarted hears it too.
    ///
    /// - Throws: `ENOENT` or `ECONNREFUSED` where nobody is at the socket.
    @discardableResult
    public func send(_ notification: Notification) throws(SystemCallError) -> Outcome {
        switch notification {
        case .ready: try send("READY=1" as StaticString)
        case .stopping: try send("STOPPING=1" as StaticString)
        case .alive: try send("WATCHDOG=1" as StaticString)
        case .status(let text):
            // A line's end would begin another variable.
            try send(Array("STATUS=\(text)".utf8.map { $0 == 0x0A ? 0x20 : $0 }))
        }
    }

    private func send(_ text: StaticString) throws(SystemCallError) -> Outcome {
        unsafe try send(UnsafeRawBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    private func send(_ bytes: [UInt8]) throws(SystemCallError) -> Outcome {
        unsafe try bytes.span.withUnsafeBytes { bytes throws(SystemCallError) in unsafe try send(bytes) }
    }

    private func send(_ bytes: UnsafeRawBufferPointer) throws(SystemCallError) -> Outcome {
        let status = unsafe clinux_send_datagram(
            socket.rawValue, bytes.baseAddress, bytes.count, address.baseAddress, address.count)
        if status >= 0 { return .sent }
        let code = Int32(clamping: -status)
        if code == EAGAIN || code == ENOBUFS { return .wouldBlock }
        throw SystemCallError(code: code, call: "sendto")
    }
}
