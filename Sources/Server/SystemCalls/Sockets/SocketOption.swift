internal import CLinux
public import SocketAddresses
internal import Glibc

/// Reads and sets socket options (`getsockopt`, `setsockopt`).
enum SocketOption {
    static func set<Value: BitwiseCopyable>(
        _ descriptor: Int32, _ level: Int32, _ name: Int32, _ value: Value
    ) throws(SystemCallError) {
        try system("setsockopt") {
            unsafe withUnsafePointer(to: value) {
                unsafe setsockopt(descriptor, level, name, $0, socklen_t(MemoryLayout<Value>.size))
            }
        }
    }

    static func get(_ descriptor: Int32, _ level: Int32, _ name: Int32) throws(SystemCallError) -> Int32 {
        var value: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        try system("getsockopt") { unsafe getsockopt(descriptor, level, name, &value, &length) }
        return value
    }

    static func setLinger(_ descriptor: Int32, seconds: Int32) throws(SystemCallError) {
        try set(descriptor, SOL_SOCKET, SO_LINGER, linger(l_onoff: 1, l_linger: seconds))
    }
}

extension StreamSocket {
    /// Sets whether calls on the socket return immediately instead of waiting (`O_NONBLOCK`).
    public func setNonBlocking(_ isEnabled: Bool) throws(SystemCallError) {
        let number = rawValue
        try system("fcntl") { clinux_set_nonblocking(number, isEnabled ? 1 : 0) }
    }

    /// Sets whether the kernel sends small segments immediately (`TCP_NODELAY`).
    public func setNoDelay(_ isEnabled: Bool) throws(SystemCallError) {
        try SocketOption.set(rawValue, Int32(IPPROTO_TCP), TCP_NODELAY, Int32(isEnabled ? 1 : 0))
    }

    /// Makes the kernel delay partial segments (`TCP_CORK`), so that it sends FIN in the same segment as the bytes
    /// before it.
    public static func cork(_ number: Int32) { try? SocketOption.set(number, Int32(IPPROTO_TCP), TCP_CORK, Int32(1)) }

    /// Ends the delay that `cork` has begun, and sends the delayed bytes.
    public static func uncork(_ number: Int32) { try? SocketOption.set(number, Int32(IPPROTO_TCP), TCP_CORK, Int32(0)) }

    /// Makes the kernel send a reset when the socket is closed (`SO_LINGER` of zero).
    public static func resetWhenClosed(_ number: Int32) { try? SocketOption.setLinger(number, seconds: 0) }

    /// Sets the timeout for receiving on a blocking socket (`SO_RCVTIMEO`).
    ///
    /// A receive that times out returns `wouldBlock`.
    public func setReceiveTimeout(_ timeout: Duration) throws(SystemCallError) {
        try SocketOption.set(rawValue, SOL_SOCKET, SO_RCVTIMEO, timeval(timeout))
    }

    /// Sets the timeout for sending on a blocking socket (`SO_SNDTIMEO`).
    ///
    /// A send that times out returns `wouldBlock`.
    public func setSendTimeout(_ timeout: Duration) throws(SystemCallError) {
        try SocketOption.set(rawValue, SOL_SOCKET, SO_SNDTIMEO, timeval(timeout))
    }

    /// Sets the size of the kernel's receive buffer in bytes (`SO_RCVBUF`).
    ///
    /// Linux doubles the given size.
    public func setReceiveBufferSize(_ byteCount: Int) throws(SystemCallError) {
        try SocketOption.set(rawValue, SOL_SOCKET, SO_RCVBUF, Int32(clamping: byteCount))
    }

    /// The peer's address (`getpeername`), or `nil` if the socket is no longer connected.
    public static func remoteAddress(of number: Int32) -> SocketAddress? {
        (try? unsafe SystemAddress.read { form, length throws(SystemCallError) in
            _ = try system("getpeername") { unsafe getpeername(number, form, length) }
        }).flatMap { $0 }
    }

    /// The local address (`getsockname`).
    public var localAddress: SocketAddress {
        get throws(SystemCallError) { try SystemAddress.local(of: rawValue) }
    }
}
