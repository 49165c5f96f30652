internal import CLinux
internal import Glibc

/// Sends notifications to a service manager's socket (`NOTIFY_SOCKET`), like `sd_notify`.
///
/// No call blocks. `send` may be called from any thread and from a signal handler.
public final class ServiceNotifier: Sendable {
    /// A notification.
    public enum Notification: Hashable, Sendable {
        /// The process serves clients (`READY=1`).
        case ready
        /// The process has begun to stop (`STOPPING=1`).
        case stopping
        /// The process is alive (`WATCHDOG=1`).
        case alive
        /// A line of text that the manager displays (`STATUS=`).
        ///
        /// Sending the text allocates memory, so do not send it in a signal handler.
        case status(String)
    }

    /// The maximum length of a socket's name in bytes.
    public static var longestName: Int { MemoryLayout<sockaddr_un>.size - MemoryLayout<sa_family_t>.size }

    private let socket: FileDescriptor

    /// The manager's address as the bytes of a `sockaddr_un`, up to the end of the name.
    private let address: [UInt8]

    /// Opens a close-on-exec socket (`socket`), or returns `nil` if `NOTIFY_SOCKET` is not set.
    ///
    /// The variable `NOTIFY_SOCKET` contains a path, for example `/run/systemd/notify`, or an abstract name, for
    /// example `@name`.
    ///
    /// - Throws: `ServiceManagerError` if the name is too long or is neither a path nor an abstract name;
    ///   `SystemCallError` with `EMFILE` if the process has no free descriptor.
    public init?(environment: [String: String]) throws {
        guard let name = environment["NOTIFY_SOCKET"] else { return nil }
        address = try ServiceNotifier.address(name)
        let type = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        socket = FileDescriptor(owning: try system("socket") { Glibc.socket(AF_UNIX, type, 0) })
    }

    private static func address(_ name: String) throws(ServiceManagerError) -> [UInt8] {
        func wrong(_ reason: String) -> ServiceManagerError { ServiceVariable.wrong("NOTIFY_SOCKET", name, reason) }
        var bytes = Array(name.utf8)
        guard bytes.count > 1, bytes[0] == UInt8(ascii: "/") || bytes[0] == UInt8(ascii: "@") else {
            throw wrong("must be an absolute path, or '@' and an abstract name")
        }
        guard bytes.count <= longestName else { throw wrong("is too long; the limit is \(longestName) bytes") }
        // An abstract name begins with a zero byte and has no terminator.
        if bytes[0] == UInt8(ascii: "@") { bytes[0] = 0 }
        let family = UInt16(AF_UNIX)
        return [UInt8](unsafe withUnsafeBytes(of: family) { unsafe Array($0) }) + bytes
    }

    /// Sends one notification (`sendto`).
    ///
    /// The manager receives notifications in the order in which they were sent. The kernel looks up the address on each
    /// call, so a restarted manager receives later notifications.
    ///
    /// - Returns: whether the manager's queue had room for the notification.
    /// - Throws: `ENOENT` or `ECONNREFUSED` if no manager has opened the socket.
    @discardableResult
    public func send(_ notification: Notification) throws(SystemCallError) -> Bool {
        var text =
            switch notification {
            case .ready: "READY=1"
            case .stopping: "STOPPING=1"
            case .alive: "WATCHDOG=1"
            // Unlike the other notifications, a status allocates memory. Newlines become spaces, because a newline
            // would begin another variable.
            case .status(let text): String(decoding: "STATUS=\(text)".utf8.map { $0 == 10 ? 32 : $0 }, as: UTF8.self)
            }
        let status = text.withUTF8 { bytes in
            unsafe address.withUnsafeBytes { address in
                unsafe clinux_send_datagram(
                    socket.rawValue, bytes.baseAddress, bytes.count, address.baseAddress, address.count)
            }
        }
        if status >= 0 { return true }
        let code = Int32(clamping: -status)
        if code == EAGAIN || code == ENOBUFS { return false }
        throw SystemCallError(code: code, call: "sendto")
    }
}
