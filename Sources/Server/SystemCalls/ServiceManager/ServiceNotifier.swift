internal import CLinux
internal import Glibc

// @unchecked Sendable: the address is written in `init` only.
/// Sends notifications to a service manager's socket (`NOTIFY_SOCKET`), like `sd_notify`.
///
/// No call waits. `send` may be called from any thread and from a signal handler.
@safe
public final class ServiceNotifier: @unchecked Sendable {
    /// A notification.
    public enum Notification: Hashable, Sendable {
        /// The process serves clients (`READY=1`).
        case ready
        /// The process has begun to stop (`STOPPING=1`).
        case stopping
        /// The process is alive (`WATCHDOG=1`).
        case alive
        /// One line that the manager displays (`STATUS=`). This notification allocates memory, so do not send it in a
        /// signal handler.
        case status(String)
    }

    /// The result of a successful call to `send`.
    public enum Outcome: Hashable, Sendable {
        /// The notification is in the manager's queue.
        case sent
        /// The manager's queue is full; the notification was not sent.
        case wouldBlock
    }

    private let socket: FileDescriptor
    private let address: UnsafeMutableRawBufferPointer

    /// Opens a close-on-exec socket (`socket`).
    ///
    /// - Throws: `EMFILE` if the process has no free descriptor.
    public init(to name: NotifySocketName) throws(SystemCallError) {
        let type = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        socket = FileDescriptor(owning: try system("socket") { Glibc.socket(AF_UNIX, type, 0) })
        unsafe address = .allocate(byteCount: name.form.count, alignment: MemoryLayout<sockaddr_un>.alignment)
        unsafe address.copyBytes(from: name.form)
    }

    deinit { unsafe address.deallocate() }

    /// Sends one notification (`sendto`).
    ///
    /// The manager reads notifications in the order of the calls. The kernel looks the address up at each call, so a restarted manager receives later notifications.
    ///
    /// - Throws: `ENOENT` or `ECONNREFUSED` if no manager has the socket open.
    @discardableResult
    public func send(_ notification: Notification) throws(SystemCallError) -> Outcome {
        switch notification {
        case .ready: try send("READY=1" as StaticString)
        case .stopping: try send("STOPPING=1" as StaticString)
        case .alive: try send("WATCHDOG=1" as StaticString)
        case .status(let text):
            // A newline would begin another variable.
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
