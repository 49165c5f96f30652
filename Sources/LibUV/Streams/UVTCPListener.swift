internal import CLibUV
public import SocketAddresses

/// A listening TCP socket (`uv_tcp_t`).
///
/// Each connection is reported by a call of the closure of `listen`, which takes it with `accept`. A connection
/// that is not taken stays with the listener, which reports no other until it is: that is how a server that is
/// busy makes its clients wait in the backlog.
///
/// **No descriptor left**: libuv and this class each keep one in reserve. A client that comes when there is no
/// other is accepted with it and closed at once, so that neither the client hangs nor the loop spins; the closure
/// is told `processFileLimit` at most once a second, and `shedConnections` counts.
public final class UVTCPListener: UVHandle {
    private var onConnection: ((UVTCPListener, UVError?) -> Void)?
    private let reserve = ReserveDescriptor()
    private var lastReport: Duration?

    /// Clients that were accepted and closed at once by this class, for want of descriptors.
    ///
    /// Those that libuv closed with its own reserve are not among them: it tells nobody.
    public private(set) var shedConnections = 0

    /// Makes a listener that is not bound (`uv_tcp_init`).
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
        if sharesPort { try adoptSharingSocket(for: address) }
        let flags = ipv6Only ? UInt32(UV_TCP_IPV6ONLY.rawValue) : 0
        try check(
            unsafe SystemAddress.with(address, "uv_tcp_bind") { system in unsafe uv_tcp_bind(tcp, system, flags) },
            "uv_tcp_bind")
    }

    private func adoptSharingSocket(for address: SocketAddress) throws(UVError) {
        let descriptor = try PortSharing.makeSocket(for: address)
        do throws(UVError) { try adopt(descriptor: descriptor) } catch {
            PortSharing.close(descriptor)
            throw error
        }
    }

    /// Takes over a bound socket (`uv_tcp_open`), which the listener closes in the end.
    ///
    /// - Throws: `busy` where the listener has a socket already; the descriptor then still belongs to the caller.
    public func adopt(descriptor: Int32) throws(UVError) {
        try checkOpen("uv_tcp_open")
        if unsafe (try? fileDescriptor(of: raw)) != nil { throw UVError(.busy, operation: "uv_tcp_open") }
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
        try checkOpen("uv_listen")
        let stream = unsafe cuv_stream_of_tcp(tcp)
        try unsafe check(uv_listen(stream, Int32(clamping: max(0, backlog)), Trampolines.onConnection), "uv_listen")
        self.onConnection = onConnection
        reserve.take()
    }

    /// Takes the connection that was reported (`uv_accept`).
    ///
    /// - Returns: the connected stream, on the listener's loop.
    /// - Throws: `wouldBlock` where none is waiting; the connection is then still the listener's.
    public func accept(file: StaticString = #fileID, line: UInt = #line) throws(UVError) -> UVTCPStream {
        try checkOpen("uv_accept")
        let stream = try UVTCPStream(on: loop, place: UVSourcePlace(file: file, line: line))
        let status = unsafe uv_accept(cuv_stream_of_tcp(tcp), stream.stream)
        guard status >= 0 else {
            stream.close()
            throw UVError(code: status, operation: "uv_accept")
        }
        return stream
    }

    /// Whether connections are accepted while others wait to be taken, or one at a time (`uv_tcp_simultaneous_accepts`).
    public func setSimultaneousAccepts(_ isEnabled: Bool) throws(UVError) {
        try checkOpen("uv_tcp_simultaneous_accepts")
        try unsafe check(uv_tcp_simultaneous_accepts(tcp, isEnabled ? 1 : 0), "uv_tcp_simultaneous_accepts")
    }

    /// Sends small segments at once (`uv_tcp_nodelay`); on Linux, accepted connections inherit it.
    public func setNoDelay(_ isEnabled: Bool) throws(UVError) {
        try checkOpen("uv_tcp_nodelay")
        try unsafe check(uv_tcp_nodelay(tcp, isEnabled ? 1 : 0), "uv_tcp_nodelay")
    }

    /// The address that clients connect to (`uv_tcp_getsockname`).
    public var localAddress: SocketAddress {
        get throws(UVError) {
            try checkOpen("uv_tcp_getsockname")
            return try unsafe SystemAddress.read("uv_tcp_getsockname") { unsafe uv_tcp_getsockname(tcp, $0, $1) }
        }
    }

    /// A connection, or the failure of one.
    func received(_ status: Int32) {
        let handler = onConnection
        guard status < 0 else { return handler?(self, nil) ?? () }
        let error = UVError(code: status, operation: "accept")
        guard error.is(.processFileLimit) || error.is(.systemFileLimit) else { return handler?(self, error) ?? () }
        if let descriptor = unsafe try? fileDescriptor(of: raw) { shedConnections += reserve.shed(from: descriptor) }
        let now = loop.now
        if let lastReport, now - lastReport < .seconds(1) { return }
        lastReport = now
        handler?(self, error)
    }

    override func didClose() {
        onConnection = nil
        reserve.release()
    }
}

extension Trampolines {
    static let onConnection: uv_connection_cb = { stream, status in
        unsafe object(of: stream?.pointee.data, as: UVTCPListener.self)?.received(status)
    }
}
