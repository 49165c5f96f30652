internal import CLinux
internal import Glibc
public import SocketAddresses

/// A listening TCP socket, which is closed when this value is destroyed.
public struct ListeningSocket: ~Copyable, Sendable {
    let descriptor: FileDescriptor

    /// The descriptor's number, for use in tables and logs.
    ///
    /// The caller must not close the descriptor.
    public var rawValue: Int32 { descriptor.rawValue }

    /// Binds a socket with `SO_REUSEADDR` to an address, and listens (`socket`, `bind`, `listen`).
    ///
    /// Accepted connections inherit `TCP_NODELAY` from the listening socket.
    ///
    /// - Parameters:
    ///   - address: the address to listen on. Port 0 picks a free port.
    ///   - backlog: the length of the kernel's queue of pending connections. The kernel limits it to
    ///     `net.core.somaxconn`.
    ///   - isNonBlocking: whether `accept` returns immediately if no connection is pending.
    /// - Throws: the error of the call that failed, for example `EADDRINUSE` from `bind`.
    public init(address: SocketAddress, backlog: Int, isNonBlocking: Bool) throws(SystemCallError) {
        let descriptor = try ListeningSocket.bound(
            to: address, flags: isNonBlocking ? Int32(SOCK_NONBLOCK.rawValue) : 0)
        try self.init(listeningOn: descriptor, backlog: backlog)
    }

    private init(listeningOn descriptor: consuming FileDescriptor, backlog: Int) throws(SystemCallError) {
        let number = descriptor.rawValue
        try SocketOption.set(number, Int32(IPPROTO_TCP), TCP_NODELAY, Int32(1))
        try system("listen") { listen(number, Int32(clamping: max(0, backlog))) }
        self.descriptor = descriptor
    }

    /// Takes ownership of a socket that another process has passed to this process, and listens (`fcntl`, `listen`).
    ///
    /// All processes that have the socket open share its state. This call makes the socket non-blocking for all of
    /// them. Do not shut down the socket, because a shutdown would affect all processes. Closing the descriptor leaves
    /// pending connections to the other processes.
    ///
    /// - Parameters:
    ///   - number: the socket's descriptor. It is closed even if the call fails.
    ///   - backlog: the new length of the kernel's queue of pending connections.
    public init(inheriting number: Int32, backlog: Int) throws(SystemCallError) {
        let descriptor = FileDescriptor(owning: number)
        try system("fcntl") { fcntl(number, F_SETFD, FD_CLOEXEC) }
        try system("fcntl") { clinux_set_nonblocking(number, 1) }
        try self.init(listeningOn: descriptor, backlog: backlog)
    }

    /// Makes the socket non-blocking (`fcntl`).
    public func setNonBlocking() throws(SystemCallError) {
        let number = rawValue
        try system("fcntl") { clinux_set_nonblocking(number, 1) }
    }

    /// Duplicates the descriptor (`fcntl` with `F_DUPFD_CLOEXEC`).
    ///
    /// The caller must close the copy.
    public func duplicate() throws(SystemCallError) -> Int32 {
        let number = rawValue
        return try system("fcntl") { fcntl(number, F_DUPFD_CLOEXEC, 0) }
    }

    /// Checks that no socket listens on an address yet (`bind`).
    ///
    /// Call this function before opening several listeners that share a port (`SO_REUSEPORT`), because opening them
    /// does not fail if another program of the same user already shares the port in this way.
    ///
    /// - Throws: the error of the call that failed, for example `EADDRINUSE` from `bind`.
    public static func checkAvailability(of address: SocketAddress) throws(SystemCallError) {
        _ = try bound(to: address, flags: 0)
    }

    private static func bound(to address: SocketAddress, flags: Int32) throws(SystemCallError) -> FileDescriptor {
        let descriptor = try FileDescriptor(socketFor: address, flags: flags)
        try SystemAddress.bind(descriptor.rawValue, to: address)
        return descriptor
    }

    /// The result of a successful call to `accept`.
    public enum Accepted: ~Copyable {
        /// An accepted connection.
        case connection(StreamSocket)
        /// No connection is pending.
        case wouldBlock
        /// Accepting has failed, but the listening socket still works.
        case failed(SystemCallError)
    }

    /// Accepts the next connection (`accept4`).
    ///
    /// - Parameter isNonBlocking: whether reads and writes on the connection return immediately instead of waiting.
    /// - Throws: an error of the listening socket: `EBADF`, `EFAULT`, `ENOTSOCK`, or `EINVAL` if it has been shut down.
    public func accept(isNonBlocking: Bool) throws(SystemCallError) -> Accepted {
        let flags = Int32(SOCK_CLOEXEC.rawValue) | (isNonBlocking ? Int32(SOCK_NONBLOCK.rawValue) : 0)
        while true {
            let connection = accept4(rawValue, nil, nil, flags)
            if connection >= 0 { return .connection(StreamSocket(FileDescriptor(owning: connection))) }
            let error = SystemCallError(code: errno, call: "accept4")
            switch error.code {
            case EINTR: continue
            case EAGAIN: return .wouldBlock
            case EBADF, EFAULT, EINVAL, ENOTSOCK: throw error
            default: return .failed(error)
            }
        }
    }

    /// Accepts a pending connection from a non-blocking listening socket, given its descriptor's number (`accept4`).
    ///
    /// If accepting fails, for example because the client has reset the pending connection, the function tries again,
    /// at most 16 times. If the connection has inherited the filter of `closeQueue`, the function removes the filter.
    ///
    /// - Parameter isNonBlocking: whether reads and writes on the connection return immediately instead of waiting.
    /// - Returns: the connection's descriptor, which the caller must close; `nil` if no connection is pending or
    ///   accepting has failed each time.
    public static func acceptWaiting(on number: Int32, isNonBlocking: Bool = true) -> Int32? {
        let flags = Int32(SOCK_CLOEXEC.rawValue) | (isNonBlocking ? Int32(SOCK_NONBLOCK.rawValue) : 0)
        for _ in 0..<16 {
            do throws(SystemCallError) {
                let connection = try system("accept4") { accept4(number, nil, nil, flags) }
                removeFilter(of: connection)
                return connection
            } catch {
                if error.code == EAGAIN { return nil }
            }
        }
        return nil
    }

    /// Stops the kernel from queueing more connections, so that a loop that accepts all pending connections ends
    /// (`SO_ATTACH_FILTER`, `listen`).
    ///
    /// Pending connections stay in the queue. The filter drops all packets to the socket, so no more handshakes
    /// complete. If the kernel does not support filters, the function still reduces the queue to its minimum length
    /// with `listen(number, 0)`. Do not call this function for a socket that other processes use.
    public static func closeQueue(of number: Int32) {
        _ = clinux_drop_packets(number)
        _ = listen(number, 0)
    }

    /// Removes the filter of `closeQueue` from a connection (`SO_DETACH_FILTER`).
    ///
    /// A connection inherits the filter if the kernel completes its handshake while `closeQueue` attaches the filter.
    /// With the filter, the connection would receive nothing.
    public static func removeFilter(of connection: Int32) { _ = clinux_receive_packets(connection) }

    /// Whether a connection is pending, so that a blocking socket can accept it without waiting (`poll`).
    ///
    /// The result is `false` if the call fails.
    public var isReadyToAccept: Bool { (try? waitUntilReady(rawValue, until: .now)) ?? false }

    /// Whether a connection is pending, or the socket has failed (`poll`).
    var hasPendingConnection: Bool { (try? waitUntilReady(rawValue, until: .now)) ?? true }

    /// Waits until the duration has passed, the socket has been shut down, or `wakeUp` has been signalled (`poll`).
    ///
    /// A pending connection does not end the wait.
    public func pause(for duration: Duration, orFor wakeUp: WakeUp? = nil) {
        let end = ContinuousClock.now.advanced(by: duration)
        // `poll` reports a socket that has been shut down even if no events are requested.
        let result = try? waitUntilReady(rawValue, or: wakeUp?.rawValue ?? -1, for: 0, until: end)
        if result == nil { PosixThread.sleep(duration) }
    }

    /// Waits until a connection is pending, the socket has been shut down, or `wakeUp` has been signalled (`poll`).
    public func waitForConnection(orFor wakeUp: WakeUp? = nil) throws(SystemCallError) {
        _ = try waitUntilReady(rawValue, or: wakeUp?.rawValue ?? -1)
    }

    /// Wakes a blocked call to `accept`, and makes all later calls fail (`shutdown`).
    public func shutdown() { try? StreamSocket.shutdown(.both, on: rawValue) }

    /// The bound address (`getsockname`).
    public var localAddress: SocketAddress {
        get throws(SystemCallError) { try SystemAddress.local(of: rawValue) }
    }
}
