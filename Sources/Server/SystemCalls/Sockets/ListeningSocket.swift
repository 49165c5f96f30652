internal import CLinux
internal import Glibc
public import SocketAddresses

/// A listening stream socket, closed when its owner goes.
public struct ListeningSocket: ~Copyable, Sendable {
    let descriptor: FileDescriptor

    /// The descriptor's number, as a token for tables and logs; it stays the socket's.
    public var rawValue: Int32 { descriptor.rawValue }

    /// Binds to an address and listens (`socket`, `bind`, `listen`), with `SO_REUSEADDR`.
    ///
    /// Accepted connections inherit `TCP_NODELAY`, which is set here.
    ///
    /// - Parameters:
    ///   - address: where to listen; port 0 picks a free one.
    ///   - backlog: how many connections the kernel keeps waiting, at most `net.core.somaxconn`.
    ///   - isNonBlocking: whether `accept` returns at once where no connection waits.
    /// - Throws: `SystemCallError` of the call that failed, as `bind` with `EADDRINUSE`.
    public init(address: SocketAddress, backlog: Int, isNonBlocking: Bool) throws(SystemCallError) {
        let descriptor = try ListeningSocket.bound(
            to: address, flags: isNonBlocking ? Int32(SOCK_NONBLOCK.rawValue) : 0)
        let number = descriptor.rawValue
        try SocketOption.set(number, Int32(IPPROTO_TCP), TCP_NODELAY, Int32(1))
        try system("listen") { listen(number, Int32(clamping: max(0, backlog))) }
        self.descriptor = descriptor
    }

    /// Takes over a socket that another process has made, and listens (`fcntl`, `listen`).
    ///
    /// Its description is shared with whoever else has it, the next process among them: it does not block from here on, for
    /// all of them, and must not be shut down. Closing it leaves the clients that wait to the others.
    ///
    /// - Parameters:
    ///   - number: the socket's descriptor, which this value closes, whether or not this fails.
    ///   - backlog: how many connections the kernel keeps waiting, whatever was set before.
    public init(inheriting number: Int32, backlog: Int) throws(SystemCallError) {
        let descriptor = FileDescriptor(owning: number)
        try system("fcntl") { fcntl(number, F_SETFD, FD_CLOEXEC) }
        try system("fcntl") { clinux_set_nonblocking(number, 1) }
        try SocketOption.set(number, Int32(IPPROTO_TCP), TCP_NODELAY, Int32(1))
        try system("listen") { listen(number, Int32(clamping: max(0, backlog))) }
        self.descriptor = descriptor
    }

    /// Makes another descriptor for the same socket, which the caller closes (`fcntl` with `F_DUPFD_CLOEXEC`).
    public func duplicate() throws(SystemCallError) -> Int32 {
        let number = rawValue
        return try system("fcntl") { fcntl(number, F_DUPFD_CLOEXEC, 0) }
    }

    /// Fails where a socket listens at an address already (`bind`); for listeners that share a port, which would not.
    ///
    /// - Throws: `EADDRINUSE`, or what else `bind` would fail with.
    public static func checkAvailability(of address: SocketAddress) throws(SystemCallError) {
        _ = try bound(to: address, flags: 0)
    }

    private static func bound(to address: SocketAddress, flags: Int32) throws(SystemCallError) -> FileDescriptor {
        let family = address.family == .ipv4 ? AF_INET : AF_INET6
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | flags
        let descriptor = FileDescriptor(owning: try system("socket") { socket(family, type, 0) })
        let number = descriptor.rawValue
        try SocketOption.set(number, SOL_SOCKET, SO_REUSEADDR, Int32(1))
        try unsafe SystemAddress.with(address) { form, length throws(SystemCallError) in
            _ = try system("bind") { unsafe bind(number, form, length) }
        }
        return descriptor
    }

    /// How an accept went where it did not fail.
    public enum Accepted: ~Copyable {
        /// A connection.
        case connection(StreamSocket)
        /// No connection waits, or the one that did is gone.
        case wouldBlock
        /// The process or the system has no descriptor left (`EMFILE`, `ENFILE`), whether or not a connection waits.
        case noDescriptor(SystemCallError)
    }

    /// Takes the next connection (`accept4`).
    ///
    /// - Parameter isNonBlocking: whether calls on the connection return at once.
    /// - Throws: what is wrong with the listening socket: `EINVAL` once it has been shut down.
    public func accept(isNonBlocking: Bool) throws(SystemCallError) -> Accepted {
        let number = rawValue
        let flags = Int32(SOCK_CLOEXEC.rawValue) | (isNonBlocking ? Int32(SOCK_NONBLOCK.rawValue) : 0)
        do throws(SystemCallError) {
            let connection = try system("accept4") { accept4(number, nil, nil, flags) }
            return .connection(StreamSocket(FileDescriptor(owning: connection)))
        } catch {
            switch error.code {
            // What is wrong with a connection that was about to be accepted is no fault of the listener.
            case EAGAIN, ECONNABORTED, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, EHOSTUNREACH, ENETUNREACH:
                return .wouldBlock
            case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .noDescriptor(error)
            default: throw error
            }
        }
    }

    /// Takes the next connection that waits at a listening socket that does not block, known by its descriptor's number
    /// (`accept4`); the connection does not block either.
    ///
    /// - Returns: its descriptor, which is the caller's; `nil` where none waits or none can be had.
    public static func acceptWaiting(on number: Int32) -> Int32? {
        let flags = Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        return try? system("accept4") { accept4(number, nil, nil, flags) }
    }

    /// Waits until a connection can be accepted, or the socket has been shut down (`poll`).
    public func waitForConnection() throws(SystemCallError) {
        let number = rawValue
        try system("poll") {
            var entry = pollfd(fd: number, events: Int16(POLLIN), revents: 0)
            return unsafe poll(&entry, 1, -1)
        }
    }

    /// Waits until a connection can be accepted, or `wakeUp` is woken (`poll`).
    public func waitForConnection(orFor wakeUp: borrowing WakeUp) throws(SystemCallError) {
        let numbers = (rawValue, wakeUp.rawValue)
        try system("poll") {
            var entries: InlineArray<2, pollfd> = [
                pollfd(fd: numbers.0, events: Int16(POLLIN), revents: 0),
                pollfd(fd: numbers.1, events: Int16(POLLIN), revents: 0),
            ]
            var span = entries.mutableSpan
            return unsafe span.withUnsafeMutableBufferPointer { unsafe poll($0.baseAddress, 2, -1) }
        }
    }

    /// Wakes a blocked `accept`, which fails from here on (`shutdown`).
    public func shutdown() { try? SocketOption.shutdown(rawValue, .both) }

    /// The address that clients connect to (`getsockname`).
    public var localAddress: SocketAddress {
        get throws(SystemCallError) {
            let number = rawValue
            let address = try unsafe SystemAddress.read { form, length throws(SystemCallError) in
                _ = try system("getsockname") { unsafe getsockname(number, form, length) }
            }
            guard let address else { throw SystemCallError(code: EAFNOSUPPORT, call: "getsockname") }
            return address
        }
    }
}
