internal import CLibUV
public import SocketAddresses

/// A TCP connection (`uv_tcp_t`): connected by `connect`, or accepted by a `UVTCPListener`.
public final class UVTCPStream: UVStream {
    /// Makes a stream that is not connected (`uv_tcp_init`).
    ///
    /// - Throws: `cancelled` on a loop that is closing or closed.
    public convenience init(
        on loop: UVLoop, file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) {
        try self.init(on: loop, place: UVSourcePlace(file: file, line: line))
    }

    /// Makes a stream that is not connected and has a socket already (`uv_tcp_init_ex`).
    ///
    /// Without one, options cannot be set before it connects; the size of the receive buffer is one that must be.
    ///
    /// - Parameter family: that of the address that it will connect to.
    /// - Throws: `cancelled` on a loop that is closing or closed; `processFileLimit` and what else `socket` answers.
    public convenience init(
        on loop: UVLoop, family: SocketAddress.Family, file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) {
        try self.init(on: loop, family: family, place: UVSourcePlace(file: file, line: line))
    }

    init(on loop: UVLoop, family: SocketAddress.Family? = nil, place: UVSourcePlace) throws(UVError) {
        try loop.checkOpen("uv_tcp_init")
        let memory = unsafe loop.state.pointee.slab.take(byteCount: UVTCPStream.cellSize)
        let raw = unsafe (memory + UVStream.roomBefore).bindMemory(to: uv_tcp_t.self, capacity: 1)
        let status = unsafe uv_tcp_init_ex(loop.raw, raw, SystemAddress.family(family))
        guard status >= 0 else {
            unsafe loop.state.pointee.slab.giveBack(memory)
            throw UVError(code: status, operation: "uv_tcp_init")
        }
        unsafe super.init(initialised: cuv_handle_of_tcp(raw), place: place)
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

    /// Connects (`uv_tcp_connect`).
    ///
    /// A failure to connect leaves the stream open: close it.
    ///
    /// - Parameters:
    ///   - address: where to connect to.
    ///   - completion: called once: with success, with the reason of the failure, or with `cancelled` where the
    ///     stream was closed before.
    /// - Throws: what is wrong at once, as `alreadyInProgress` for a second connect; `completion` is not called then.
    public func connect(
        to address: SocketAddress, completion: @escaping (Result<Void, UVError>) -> Void
    ) throws(UVError) {
        try checkOpen("uv_tcp_connect")
        let request = unsafe StreamRequest<uv_connect_t>(completion: completion)
        let status = try unsafe SystemAddress.with(address, "uv_tcp_connect") { system in
            unsafe uv_tcp_connect(request.memory, tcp, system) { raw, status in
                guard let raw = unsafe raw else { return }
                unsafe StreamRequest<uv_connect_t>.complete(raw.pointee.data, status, "uv_tcp_connect")
            }
        }
        try check(status, "uv_tcp_connect")
        unsafe request.memory.pointee.data = request.retained()
    }

    /// Binds to a local address before connecting (`uv_tcp_bind`).
    ///
    /// - Throws: `addressNotAvailable` for an address that is not this machine's; an address in use is reported
    ///   by `connect`.
    public func bind(to address: SocketAddress) throws(UVError) {
        try unsafe call("uv_tcp_bind", with: address) { system in unsafe uv_tcp_bind(tcp, system, 0) }
    }

    /// Takes over a connected or unconnected socket (`uv_tcp_open`), which the stream closes in the end.
    ///
    /// - Throws: `busy` where the stream has a socket already, `invalidArgument` for a file or another kind that is
    ///   no stream, `alreadyExists` where another handle of the loop watches the descriptor, which then still belongs to
    ///   the caller.
    public func adopt(descriptor: Int32) throws(UVError) {
        try checkOpen("uv_tcp_open")
        if hasDescriptor { throw UVError(.busy, operation: "uv_tcp_open") }
        try UVDescriptorKind.checkStream(descriptor, "uv_tcp_open")
        try unsafe check(uv_tcp_open(tcp, descriptor), "uv_tcp_open")
    }

    /// Closes with a reset instead of an orderly end (`uv_tcp_close_reset`): the peer gets `connectionReset`.
    ///
    /// - Throws: `invalidArgument` after a shutdown, where the stream stays open; closing a closing stream does nothing.
    public func closeReset() throws(UVError) {
        assertOnThread()
        guard !isClosing else { return }
        willClose()
        try unsafe check(uv_tcp_close_reset(tcp, Trampolines.onClose), "uv_tcp_close_reset")
    }
}
