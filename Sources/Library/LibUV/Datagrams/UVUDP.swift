internal import CLibUV
public import SocketAddresses

/// A socket for datagrams (`uv_udp_t`).
///
/// **Receiving**: `startReceiving` takes one closure for all that happens on the socket. **Sending**: fill a buffer of
/// the loop's pool (`UVLoop.makeBuffer`) and move it into `send`; a datagram goes as a whole or not at all. **Order**:
/// sends complete in the order of their calls, each exactly once, and before the socket has closed.
///
/// In steady state nothing is allocated for a datagram, and no lock is taken.
@safe
public final class UVUDP: UVHandle {
    /// What a receive callback looks at, behind a pointer: an access costs no check.
    @safe
    struct State: ~Copyable {
        var onEvent: ((UVUDP, borrowing UVUDPEvent) -> Void)?
        /// Whether datagrams are wanted: libuv may ask for a buffer, and go on with a batch, where they are not.
        var isReceiving = false
        /// Whether receiving stops where the batch ends that is being given to the closure.
        var stopsAfterBatch = false
        /// Whether the socket is connected to an address.
        var isConnected = false
        /// What waits behind the datagram that libuv is sending.
        var queue = DatagramQueue()
        /// Whether those that wait are being tried.
        var isTrying = false
        /// Whether an event is being given to the closure.
        var isCalling = false
        /// Whether the object must outlive its close by a round; see `ClosedHandleKeeper`.
        var isToBeKept = false
    }

    let state: UnsafeMutablePointer<State>

    /// Makes a socket that is not bound (`uv_udp_init_ex`).
    ///
    /// - Parameters:
    ///   - family: makes the system's socket at once, of this family; without it, `bind`, `connect`, the first `send`
    ///     or `startReceiving` does.
    ///   - receivesBatches: whether up to 20 datagrams are received with one system call (`UV_UDP_RECVMMSG`). The
    ///     loop then has memory of 1.25 MiB for all its sockets of this kind.
    /// - Throws: `cancelled` on a loop that is closing or closed; `processFileLimit` and the like with a family.
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
        unsafe super.init(initialised: raw, place: UVSourcePlace(file: file, line: line))
        setCallbacks()
    }

    deinit {
        unsafe state.deinitialize(count: 1)
        unsafe state.deallocate()
    }

    var udp: UnsafeMutablePointer<uv_udp_t> { unsafe cast(to: uv_udp_t.self) }

    /// Gives an event to the closure.
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
    /// Begins to receive (`uv_udp_recv_start`), and takes the closure for all that happens on the socket from here on.
    ///
    /// A socket that is not bound is bound to a free port of every IPv4 address.
    ///
    /// - Parameter onEvent: called on the loop's thread; kept until the socket has closed.
    /// - Throws: `alreadyInProgress` where a closure has been given before (see `resumeReceiving`); `invalidArgument`
    ///   on a socket that is closing.
    public func startReceiving(_ onEvent: @escaping (UVUDP, borrowing UVUDPEvent) -> Void) throws(UVError) {
        try checkOpen("uv_udp_recv_start")
        if unsafe state.pointee.onEvent != nil { throw UVError(.alreadyInProgress, operation: "uv_udp_recv_start") }
        try receive()
        unsafe state.pointee.onEvent = onEvent
    }

    /// Takes the closure for all that happens on the socket, and does not receive yet.
    ///
    /// - Throws: as `startReceiving`.
    func attach(_ onEvent: @escaping (UVUDP, borrowing UVUDPEvent) -> Void) throws(UVError) {
        try checkOpen("uv_udp_recv_start")
        if unsafe state.pointee.onEvent != nil { throw UVError(.alreadyInProgress, operation: "uv_udp_recv_start") }
        unsafe state.pointee.onEvent = onEvent
    }

    /// Stops receiving from within the closure without losing what is left of a batch, which is still reported.
    func stopReceivingAfterBatch() {
        if receivesBatches { unsafe state.pointee.stopsAfterBatch = true } else { stopReceiving() }
    }

    /// A receipt has come to its end, and with it a batch.
    func endedReceipt() {
        if unsafe state.pointee.stopsAfterBatch { stopReceiving() }
    }

    /// Stops receiving (`uv_udp_recv_stop`): no datagram is reported until `resumeReceiving`.
    ///
    /// Idempotent. What comes meanwhile stays in the kernel, as far as its buffer reaches. Called in the closure of a
    /// socket that receives batches, it loses what is left of the batch.
    public func stopReceiving() {
        assertOnThread()
        if isClosing { return }
        unsafe state.pointee.isReceiving = false
        unsafe state.pointee.stopsAfterBatch = false
        unsafe uv_udp_recv_stop(udp)
        setCallbacks()
    }

    /// Receives on after `stopReceiving` (`uv_udp_recv_start`).
    ///
    /// - Throws: `alreadyInProgress` where the socket is receiving; `invalidArgument` where `startReceiving` was never
    ///   called or the socket is closing.
    public func resumeReceiving() throws(UVError) {
        try checkOpen("uv_udp_recv_start")
        if unsafe state.pointee.onEvent == nil { throw UVError(.invalidArgument, operation: "uv_udp_recv_start") }
        try receive()
    }

    private func receive() throws(UVError) {
        try unsafe check(uv_udp_recv_start(udp, Trampolines.onLend, Trampolines.onDatagram), "uv_udp_recv_start")
        unsafe state.pointee.isReceiving = true
    }

    /// The memory for the next receipt: what the loop lends to every socket of the kind.
    func lend() -> uv_buf_t? {
        guard unsafe state.pointee.isReceiving else { return nil }
        return unsafe receivesBatches ? loop.state.pointee.datagramBatch.lend() : loop.cell.pointee.read_buffer
    }

    /// Whether up to 20 datagrams are received with one system call (`uv_udp_using_recvmmsg`): it was asked for, and
    /// the system can.
    public var receivesBatches: Bool { unsafe uv_udp_using_recvmmsg(udp) != 0 }
}
