internal import CLibUV
public import SocketAddresses

/// A TCP connection (`uv_tcp_t`).
///
/// Connect one with `connect`, or accept one from a `UVTCPListener`.
public final class UVTCPStream: UVStream {
    /// Makes a stream that is not connected yet (`uv_tcp_init`).
    ///
    /// - Throws: `cancelled` if the loop is closing or closed.
    public convenience init(
        on loop: UVLoop, file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) {
        try self.init(on: loop, location: UVSourceLocation(file: file, line: line))
    }

    /// Makes a stream that is not connected yet, but already has a socket (`uv_tcp_init_ex`).
    ///
    /// Options can be set before connecting only if the stream already has a socket. The size of the receive buffer
    /// must be set before connecting.
    ///
    /// - Parameter family: the family of the address to which the stream will connect.
    /// - Throws: `cancelled` if the loop is closing or closed; another error if the socket cannot be made, for example
    ///   `processFileLimit`.
    public convenience init(
        on loop: UVLoop, family: SocketAddress.Family, file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) {
        try self.init(on: loop, family: family, location: UVSourceLocation(file: file, line: line))
    }

    /// Makes a stream that takes ownership of a socket, connected or not (`uv_tcp_open`).
    ///
    /// Closing the stream closes the socket.
    ///
    /// - Throws: `invalidArgument` if the descriptor refers to a file or to anything else that cannot be a stream;
    ///   `alreadyExists` if another handle of the loop watches it; `cancelled` if the loop is closing or closed. If the
    ///   call throws, the caller still owns the descriptor.
    public convenience init(
        on loop: UVLoop, adopting descriptor: Int32, file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) {
        try self.init(on: loop, location: UVSourceLocation(file: file, line: line))
        try adoptOrClose(descriptor)
    }

    init(on loop: UVLoop, family: SocketAddress.Family? = nil, location: UVSourceLocation) throws(UVError) {
        try loop.checkOpen("uv_tcp_init")
        let memory = unsafe loop.state.pointee.slab.take(byteCount: UVTCPStream.cellSize)
        let raw = unsafe (memory + UVStream.roomBefore).bindMemory(to: uv_tcp_t.self, capacity: 1)
        let status = unsafe uv_tcp_init_ex(loop.raw, raw, SystemAddress.family(family))
        guard status >= 0 else {
            unsafe loop.state.pointee.slab.giveBack(memory)
            throw UVError(code: status, operation: "uv_tcp_init")
        }
        unsafe super.init(initialised: cuv_handle_of_tcp(raw), location: location)
    }

    private static var cellSize: Int { unsafe roomBefore + MemoryLayout<uv_tcp_t>.stride }

    var tcp: UnsafeMutablePointer<uv_tcp_t> { unsafe cast(to: uv_tcp_t.self) }

    override func freeCell(_ owner: Unmanaged<UVLoop>) {
        let cell = unsafe UnsafeMutableRawPointer(raw) - UVStream.roomBefore
        let loop = unsafe owner.takeUnretainedValue()
        if loop.isOnThread {
            unsafe loop.state.pointee.slab.giveBack(cell)
        } else {
            unsafe loop.state.pointee.slab.returned.push(cell)
        }
    }

    /// Connects to an address (`uv_tcp_connect`).
    ///
    /// If connecting fails, the stream stays open. Close it. If the kernel cannot watch one more descriptor, the stream
    /// closes itself, and `completion` receives `outOfMemory` or `noSpace` (`epoll_ctl`).
    ///
    /// - Parameters:
    ///   - address: the address to connect to.
    ///   - completion: called once. It receives success, the error if connecting failed, or `cancelled` if the stream
    ///     was closed first.
    /// - Throws: errors that are known immediately, for example `alreadyInProgress` for a second call. If the call
    ///   throws, `completion` is not called.
    public func connect(
        to address: SocketAddress, completion: @escaping (Result<Void, UVError>) -> Void
    ) throws(UVError) {
        try checkOpen("uv_tcp_connect")
        var failure: UVError?
        let request = unsafe StreamRequest<uv_connect_t> { result in
            completion(result.mapError { (failure ?? $0).with(detail: "\(address)") })
        }
        let status = try unsafe SystemAddress.with(address, "uv_tcp_connect") { system in
            unsafe uv_tcp_connect(request.memory, tcp, system) { raw, status in
                guard let raw = unsafe raw else { return }
                unsafe StreamRequest<uv_connect_t>.complete(raw.pointee.data, status, "uv_tcp_connect")
            }
        }
        if status < 0 { throw UVError(code: status, operation: "uv_tcp_connect", detail: "\(address)") }
        unsafe request.memory.pointee.data = request.retained()
        failure = closeIfUnwatched()
    }

    /// Binds to a local address before connecting (`uv_tcp_bind`).
    ///
    /// - Throws: `addressNotAvailable` if the address does not belong to this machine. If the address is in use,
    ///   `connect` fails instead.
    public func bind(to address: SocketAddress) throws(UVError) {
        try unsafe call("uv_tcp_bind", with: address) { system in unsafe uv_tcp_bind(tcp, system, 0) }
    }

    func adopt(descriptor: Int32) throws(UVError) {
        try UVDescriptorKind.checkStream(descriptor, "uv_tcp_open")
        try unsafe check(uv_tcp_open(tcp, descriptor), "uv_tcp_open")
    }

    /// Closes the connection with a reset, so that the peer gets the error `connectionReset` (`uv_tcp_close_reset`).
    ///
    /// - Throws: `invalidArgument` while a shutdown is pending. In that case, the stream stays open. If the stream is
    ///   already closing, the call has no effect and throws nothing.
    public func closeReset() throws(UVError) {
        assertOnThread()
        guard !isClosing else { return }
        willClose()
        try unsafe check(uv_tcp_close_reset(tcp, Trampolines.onClose), "uv_tcp_close_reset")
    }
}
