internal import CLibUV
public import SocketAddresses

/// A listening TCP socket (`uv_tcp_t`).
public final class UVTCPListener: UVListener {
    /// Makes a listener that is not bound (`uv_tcp_init`).
    ///
    /// - Throws: `cancelled` on a loop that is closing or closed.
    public init(on loop: UVLoop, file: StaticString = #fileID, line: UInt = #line) throws(UVError) {
        let raw = try unsafe makeHandle(uv_tcp_t.self, on: loop, "uv_tcp_init") { unsafe uv_tcp_init($0, $1) }
        unsafe super.init(initialised: raw, place: UVSourcePlace(file: file, line: line))
    }

    var tcp: UnsafeMutablePointer<uv_tcp_t> { unsafe cast(to: uv_tcp_t.self) }

    /// Binds to an address (`uv_tcp_bind`); port 0 picks a free one.
    ///
    /// - Parameters:
    ///   - address: where to listen.
    ///   - ipv6Only: whether an IPv6 socket refuses IPv4 clients (`UV_TCP_IPV6ONLY`).
    ///   - sharesPort: whether other listeners that say so too may listen at the same address (`SO_REUSEPORT`,
    ///     set on the descriptor, since libuv has a flag for it only from 1.49 on); the kernel deals the
    ///     connections out among them.
    /// - Throws: `addressNotAvailable`, `permissionDenied`; an address in use is reported by `listen`.
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
    }

    /// Takes over a bound socket (`uv_tcp_open`), which the listener closes in the end.
    ///
    /// - Throws: `busy` where the listener has a socket already, otherwise as `UVTCPStream.adopt`; the descriptor then
    ///   still belongs to the caller.
    public func adopt(descriptor: Int32) throws(UVError) {
        try checkOpen("uv_tcp_open")
        if hasDescriptor { throw UVError(.busy, operation: "uv_tcp_open") }
        try UVDescriptorKind.checkStream(descriptor, "uv_tcp_open")
        try unsafe check(uv_tcp_open(tcp, descriptor), "uv_tcp_open")
    }

    /// Listens (`uv_listen`); on a listener that listens already, sets the backlog and the closure anew.
    ///
    /// - Parameters:
    ///   - backlog: how many connections the kernel keeps waiting, at most `net.core.somaxconn`.
    ///   - onConnection: called for each connection, with `nil` where `accept` will take it, or with an error.
    /// - Throws: `addressInUse`; `invalidArgument` on a listener that is closing.
    public func listen(
        backlog: Int = 511, _ onConnection: @escaping (UVTCPListener, UVError?) -> Void
    ) throws(UVError) {
        try startListening(backlog: backlog) { listener, error in
            // It is this listener that calls the closure.
            onConnection(unsafe unsafeDowncast(listener, to: UVTCPListener.self), error)
        }
    }

    /// Takes the connection that was reported (`uv_accept`).
    ///
    /// - Returns: the connected stream, on the listener's loop.
    /// - Throws: `wouldBlock` where none is waiting; the connection is then still the listener's.
    public func accept(file: StaticString = #fileID, line: UInt = #line) throws(UVError) -> UVTCPStream {
        try checkOpen("uv_accept")
        let stream = try UVTCPStream(on: loop, place: UVSourcePlace(file: file, line: line))
        try take(into: stream)
        return stream
    }

    /// Whether connections are accepted while others wait to be taken, or one at a time (`uv_tcp_simultaneous_accepts`).
    ///
    /// - Throws: `invalidArgument` on a listener that is closing.
    public func setSimultaneousAccepts(_ isEnabled: Bool) throws(UVError) {
        try call("uv_tcp_simultaneous_accepts") { unsafe uv_tcp_simultaneous_accepts(tcp, isEnabled ? 1 : 0) }
    }

    /// Sends small segments at once (`uv_tcp_nodelay`); on Linux, accepted connections inherit it.
    ///
    /// - Throws: `invalidArgument` on a listener that is closing.
    public func setNoDelay(_ isEnabled: Bool) throws(UVError) {
        try call("uv_tcp_nodelay") { unsafe uv_tcp_nodelay(tcp, isEnabled ? 1 : 0) }
    }

    /// The address that clients connect to (`uv_tcp_getsockname`).
    ///
    /// - Throws: `badDescriptor` on a listener that is not bound, `invalidArgument` on one that is closing.
    public var localAddress: SocketAddress {
        get throws(UVError) {
            try unsafe readAddress("uv_tcp_getsockname") { unsafe uv_tcp_getsockname(tcp, $0, $1) }
        }
    }
}
