import Glibc
import SystemCalls
import Testing

/// A service manager's notification socket.
///
/// `NOTIFY_SOCKET` contains the name of this socket.
final class NotificationReceiver {
    let name: String
    private let descriptor: Int32

    /// The kind of the socket's name: a path or an abstract name.
    enum Kind: CaseIterable { case path, abstract }

    init(_ kind: Kind, nameLength: Int = 48) throws {
        let unique = "\(kind == .path ? "/tmp/" : "@")uvserver-\(getpid())-\(UInt64.random(in: 0 ... .max))-"
        name = unique + String(repeating: "n", count: max(0, nameLength - unique.utf8.count))
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var bytes = Array(name.utf8)
        if kind == .abstract { bytes[0] = 0 }
        let family = UInt16(AF_UNIX)
        bytes = unsafe withUnsafeBytes(of: family) { unsafe Array($0) } + bytes
        let status = unsafe bytes.withUnsafeBytes { form in
            unsafe form.baseAddress.map {
                unsafe bind(descriptor, $0.assumingMemoryBound(to: sockaddr.self), socklen_t(form.count))
            }
        }
        try #require(status == 0)
    }

    deinit {
        close(descriptor)
        if name.hasPrefix("/") { unsafe unlink(name) }
    }

    /// Returns the next datagram, or `nil` if no datagram arrives before the timeout.
    func next(timeout: Duration = .seconds(20)) -> String? {
        var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&entry, 1, Int32(timeout / .milliseconds(1))) == 1 else { return nil }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = unsafe bytes.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
        return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
    }
}
