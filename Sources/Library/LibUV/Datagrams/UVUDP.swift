internal import CLibUV
public import SocketAddresses

/// A datagram socket (`uv_udp_t`).
///
/// **Receiving**: pass a closure to `startReceiving`. The closure receives all events of the socket. **Sending**: fill
/// a buffer from the loop's pool (`UVLoop.makeBuffer`), and move it into `send`. A datagram is sent completely or not
/// at all. **Order**: sends complete in the order of the calls. Each send completes exactly once, before the socket has
/// closed.
///
/// In steady state, sending and receiving neither allocate memory nor take a lock.
@safe
public final class UVUDP: UVHandle {
    /// The state that receive callbacks use.
    ///
    /// It is behind a pointer, so that accesses need no exclusivity checks.
    @safe
    struct State: ~Copyable {
        var onEvent: ((UVUDP, borrowing UVUDPEvent) -> Void)?
        /// Whether the program wants datagrams.
        ///
        /// Even if the program wants no datagrams, libuv may request a buffer and continue a batch.
        var isReceiving = false
        /// Whether to stop receiving at the end of the batch that is being reported.
        var stopsAfterBatch = false
        /// Whether the socket is connected to an address.
        var isConnected = false
        /// The datagrams that are queued behind the datagram that libuv is sending.
        var queue = DatagramQueue()
        /// Whether the library is trying to send the queued datagrams.
        var isTrying = false
        /// Whether the closure is being called.
        var isCalling = false
        /// Whether the object must be kept for one iteration after it has closed; see `ClosedHandleKeeper`.
        var isToBeKept = false
    }

    let state: UnsafeMutablePointer<State>

    /// Makes a socket that is not bound yet (`uv_udp_init_ex`).
    ///
    /// - Parameters:
    ///   - family: the address family of the system's socket. With a family, this call makes the system's socket. With
    ///     `nil`, `bind`, `connect`, the first `send` or `startReceiving` makes it.
    ///   - receivesBatches: whether up to 20 datagrams are received with one system call (`UV_UDP_RECVMMSG`). If so,
    ///     the loop uses 1.25 MiB of memory for all sockets that receive batches.
    /// - Throws: `cancelled` if the loop is closing or closed; with a family also the system's error if the socket
    ///   cannot be made, for example `processFileLimit`.
    public init(
        on loop: UVLoop, family: SocketAddress.Family? = nil, receivesBatches: Bool = false,
        file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) {
        let flags = SystemAddress.family(family) | (receivesBatches ? UInt32(UV_UDP_RECVMMSG.rawValue) : 0)
        let raw = try unsafe makeHandle(uv_udp_t.self, on: loop, "uv_udp_init_ex") {
            unsafe uv_udp_init_ex($0, $1, flags)
        }
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(to: State())
        unsafe super.init(initialised: raw, location: UVSourceLocation(file: file, line: line))
        setCallbacks()
    }

    deinit {
        unsafe state.deinitialize(count: 1)
        unsafe state.deallocate()
    }

    var udp: UnsafeMutablePointer<uv_udp_t> { unsafe cast(to: uv_udp_t.self) }

    /// Passes an event to the closure.
    func emit(_ event: borrowing UVUDPEvent) {
        let onEvent = unsafe state.pointee.onEvent
        unsafe state.pointee.isCalling = true
        onEvent?(self, event)
        unsafe state.pointee.isCalling = false
    }

    private func setCallbacks() { unsafe cuv_udp_set_callbacks(udp, Trampolines.onLend, Trampolines.onDatagram) }

    override func willClose() {
        unsafe state.pointee.isReceiving = false
        unsafe state.pointee.isToBeKept = state.pointee.isCalling && udp.pointee.send_queue_count != 0
    }

    override func didClose() {
        cancelWaiting()
        emit(.closed)
        unsafe state.pointee.onEvent = nil
        if unsafe state.pointee.isToBeKept { ClosedHandleKeeper.keep(self, on: loop) }
    }
}

extension UVUDP {
    /// Starts to receive, and passes all events of the socket to a closure (`uv_udp_recv_start`).
    ///
    /// If the socket is not bound, it is bound to a free port of the IPv4 wildcard address.
    ///
    /// - Parameter onEvent: called on the loop's thread for each event. The socket retains the closure until the socket
    ///   has closed.
    /// - Throws: `alreadyInProgress` if the socket already has a closure (see `resumeReceiving`); `invalidArgument` if
    ///   the socket is closing; `outOfMemory` or `noSpace` (`epoll_ctl`) if the kernel cannot watch another descriptor.
    public func startReceiving(_ onEvent: @escaping (UVUDP, borrowing UVUDPEvent) -> Void) throws(UVError) {
        try checkOpen("uv_udp_recv_start")
        if unsafe state.pointee.onEvent != nil { throw UVError(.alreadyInProgress, operation: "uv_udp_recv_start") }
        try receive()
        unsafe state.pointee.onEvent = onEvent
    }

    /// Passes all events of the socket to a closure, without starting to receive.
    ///
    /// The closure of a socket that only sends receives the failures of sends without completions, and the event that
    /// the socket has closed. The call does not bind the socket. To receive later, call `resumeReceiving`. libuv has no
    /// counterpart of this function.
    ///
    /// - Parameter handler: called on the loop's thread for each event. The socket retains the closure until the socket
    ///   has closed.
    /// - Throws: `alreadyInProgress` if the socket already has a closure; `invalidArgument` if the socket is closing.
    public func onEvent(_ handler: @escaping (UVUDP, borrowing UVUDPEvent) -> Void) throws(UVError) {
        try checkOpen("uv_udp_recv_start")
        if unsafe state.pointee.onEvent != nil { throw UVError(.alreadyInProgress, operation: "uv_udp_recv_start") }
        unsafe state.pointee.onEvent = handler
    }

    /// Stops receiving at the end of the current batch, so that the rest of the batch is still reported.
    ///
    /// Call this function in the closure that receives the events.
    func stopReceivingAfterBatch() {
        if receivesBatches { unsafe state.pointee.stopsAfterBatch = true } else { stopReceiving() }
    }

    /// Handles the end of a receive operation, and therefore of a batch.
    func endedReceipt() {
        if unsafe state.pointee.stopsAfterBatch { stopReceiving() }
    }

    /// Stops receiving, so that no datagram is reported until `resumeReceiving` (`uv_udp_recv_stop`).
    ///
    /// Calling it again has no effect. Datagrams that arrive while the socket does not receive stay in the kernel's
    /// buffer, if the buffer has room. If a socket that receives batches calls this function in its closure, the rest
    /// of the batch is lost.
    public func stopReceiving() {
        assertOnThread()
        if isClosing { return }
        unsafe state.pointee.isReceiving = false
        unsafe state.pointee.stopsAfterBatch = false
        unsafe uv_udp_recv_stop(udp)
        setCallbacks()
    }

    /// Resumes receiving after `stopReceiving`, or starts it after `onEvent` (`uv_udp_recv_start`).
    ///
    /// - Throws: `alreadyInProgress` if the socket is receiving; `invalidArgument` if the socket has no closure or is
    ///   closing.
    public func resumeReceiving() throws(UVError) {
        try checkOpen("uv_udp_recv_start")
        if unsafe state.pointee.onEvent == nil { throw UVError(.invalidArgument, operation: "uv_udp_recv_start") }
        try receive()
    }

    private func receive() throws(UVError) {
        try unsafe check(uv_udp_recv_start(udp, Trampolines.onLend, Trampolines.onDatagram), "uv_udp_recv_start")
        do throws(UVError) { try unsafe check(cuv_watch(raw), "epoll_ctl") } catch {
            unsafe uv_udp_recv_stop(udp)
            throw error
        }
        unsafe state.pointee.isReceiving = true
    }

    /// Returns the loop's memory for the next receive operation, which all sockets of this kind share.
    func lend() -> uv_buf_t? {
        guard unsafe state.pointee.isReceiving else { return nil }
        return unsafe receivesBatches ? loop.state.pointee.datagramBatch.lend() : loop.cell.pointee.read_buffer
    }

    /// Whether up to 20 datagrams are received with one system call (`uv_udp_using_recvmmsg`).
    ///
    /// This is the case if the program has requested it and the system supports it.
    public var receivesBatches: Bool { unsafe uv_udp_using_recvmmsg(udp) != 0 }
}
