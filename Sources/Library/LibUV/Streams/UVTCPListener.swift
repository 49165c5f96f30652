internal import CLibUV
public import SocketAddresses

/// A listening TCP socket (`uv_tcp_t`).
public final class UVTCPListener: UVListener {
    /// The address that was passed to `bind`, for errors.
    private var boundAddress: SocketAddress?

    /// Makes a listener that is not bound yet (`uv_tcp_init`).
    ///
    /// - Throws: `cancelled` if the loop is closing or closed.
    public init(on loop: UVLoop, file: StaticString = #fileID, line: UInt = #line) throws(UVError) {
        let raw = try unsafe makeHandle(uv_tcp_t.self, on: loop, "uv_tcp_init") { unsafe uv_tcp_init($0, $1) }
        unsafe super.init(initialised: raw, location: UVSourceLocation(file: file, line: line))
    }

    /// Makes a listener that takes ownership of a bound socket (`uv_tcp_open`).
    ///
    /// Closing the listener closes the socket.
    ///
    /// - Throws: the same errors as `UVTCPStream.init(on:adopting:)`. If the call throws, the caller still owns the
    ///   descriptor.
    public convenience init(
        on loop: UVLoop, adopting descriptor: Int32, file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) {
        try self.init(on: loop, file: file, line: line)
        try adoptOrClose(descriptor)
    }

    var tcp: UnsafeMutablePointer<uv_tcp_t> { unsafe cast(to: uv_tcp_t.self) }

    /// Binds to an address (`uv_tcp_bind`).
    ///
    /// - Parameters:
    ///   - address: the address to listen on. Port 0 picks a free port.
    ///   - ipv6Only: whether an IPv6 socket rejects IPv4 clients (`UV_TCP_IPV6ONLY`).
    ///   - sharesPort: whether several listeners can share the address (`SO_REUSEPORT`). All of these listeners must
    ///     set this parameter. The kernel distributes the connections among them. The library sets the option on the
    ///     descriptor, because libuv has had a flag for it only since version 1.49.
    /// - Throws: `addressNotAvailable` or `permissionDenied`. If the address is in use, `listen` throws an error
    ///   instead.
    public func bind(
        to address: SocketAddress, ipv6Only: Bool = false, sharesPort: Bool = false
    ) throws(UVError) {
        try checkOpen("uv_tcp_bind")
        if sharesPort {
            let descriptor = try SystemDescriptor.makeSharingSocket(for: address, cuv_stream_type)
            try SystemDescriptor.closeOnFailure(descriptor, adopt)
        }
        let flags = ipv6Only ? UInt32(UV_TCP_IPV6ONLY.rawValue) : 0
        try unsafe call("uv_tcp_bind", with: address) { system in unsafe uv_tcp_bind(tcp, system, flags) }
        boundAddress = address
    }

    func adopt(descriptor: Int32) throws(UVError) {
        try UVDescriptorKind.checkStream(descriptor, "uv_tcp_open")
        try unsafe check(uv_tcp_open(tcp, descriptor), "uv_tcp_open")
    }

    /// Starts to listen, or replaces the backlog and the closure if the listener is already listening (`uv_listen`).
    ///
    /// - Parameters:
    ///   - backlog: the length of the kernel's queue of pending connections. The kernel limits it to
    ///     `net.core.somaxconn`.
    ///   - onConnection: called without an error when a connection can be accepted with `accept`, and with an error
    ///     when accepting has failed. After an error, the listener tries again by itself; see `UVListener`.
    /// - Throws: `addressInUse`; `invalidArgument` if the listener is closing.
    public func listen(
        backlog: Int = 511, _ onConnection: @escaping (UVTCPListener, UVError?) -> Void
    ) throws(UVError) {
        try startListening(backlog: backlog) { listener, error in
            // This listener passes itself to the closure, so the cast is valid.
            onConnection(unsafe unsafeDowncast(listener, to: UVTCPListener.self), error)
        }
    }

    override func prepareToListen() throws(UVError) {
        // As in libuv, `bind` does not report that the address is in use, so this function does.
        do { try check(unsafe stream.pointee.delayed_error, "uv_listen") } catch {
            throw error.with(detail: boundAddress.map { "\($0)" })
        }
        if !hasDescriptor { try check(unsafe cuv_tcp_bind_any(tcp), "uv_listen") }
    }

    override func acceptStream() throws(UVError) -> UVStream { try accept() }

    /// Accepts the reported connection (`uv_accept`).
    ///
    /// - Returns: the connected stream, on the listener's loop.
    /// - Throws: `wouldBlock` if no connection is pending; `cancelled` if the listener is closing.
    public func accept(file: StaticString = #fileID, line: UInt = #line) throws(UVError) -> UVTCPStream {
        if isClosing { throw UVError(.cancelled, operation: "uv_accept") }
        let stream = try UVTCPStream(on: loop, location: UVSourceLocation(file: file, line: line))
        try take(into: stream) { unsafe uv_tcp_open(stream.tcp, $0) }
        return stream
    }

    /// Sets whether the listener accepts several connections in a row, or only one in each iteration
    /// (`uv_tcp_simultaneous_accepts`).
    ///
    /// If several processes listen on one socket, accepting one at a time distributes the connections more evenly.
    ///
    /// - Throws: `invalidArgument` if the listener is closing.
    public func setSimultaneousAccepts(_ isEnabled: Bool) throws(UVError) {
        try checkOpen("uv_tcp_simultaneous_accepts")
        acceptLimit = isEnabled ? 16 : 1
    }

    /// Sets whether the kernel sends small segments immediately (`uv_tcp_nodelay`).
    ///
    /// On Linux, accepted connections inherit the setting.
    ///
    /// - Throws: `invalidArgument` if the listener is closing.
    public func setNoDelay(_ isEnabled: Bool) throws(UVError) {
        try call("uv_tcp_nodelay") { unsafe uv_tcp_nodelay(tcp, isEnabled ? 1 : 0) }
    }

    /// The address that clients connect to (`uv_tcp_getsockname`).
    ///
    /// - Throws: `badDescriptor` if the listener is not bound; `addressInUse` if the address that was passed to `bind`
    ///   was in use; `invalidArgument` if the listener is closing.
    public var localAddress: SocketAddress {
        get throws(UVError) {
            do throws(UVError) {
                return try unsafe readAddress("uv_tcp_getsockname") { unsafe uv_tcp_getsockname(tcp, $0, $1) }
            } catch { throw error.ofBind("uv_tcp_bind", detail: boundAddress.map { "\($0)" }) }
        }
    }
}
