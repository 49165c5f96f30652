internal import CLibUV
public import SocketAddresses

extension UVUDP {
    /// Sends a buffer as one datagram, and takes ownership of the buffer (`uv_udp_send`).
    ///
    /// The buffer returns to the pool after libuv's send callback, or immediately if the call throws. A buffer of
    /// another loop is copied, and returns to its own pool immediately.
    ///
    /// An empty buffer is sent as an empty datagram. If the socket is not bound, it is first bound to a free port.
    ///
    /// - Parameters:
    ///   - buffer: the bytes of the datagram.
    ///   - destination: the address to send to, or `nil` if the socket is connected.
    ///   - completion: called once, in the order of the sends, before the socket has closed. It receives success when
    ///     the kernel has accepted the datagram, which may still be lost. Otherwise it receives an error, for example
    ///     `messageTooLarge`, or `cancelled` if the socket was closed first. Without a completion, the event `failed`
    ///     reports errors.
    /// - Throws: `alreadyConnected` if `destination` is given for a connected socket; `destinationRequired` if it is
    ///   not given for an unconnected socket; `invalidArgument` if the socket is closing. If the call throws,
    ///   `completion` is not called.
    public func send(
        _ buffer: consuming UVBuffer, to destination: SocketAddress? = nil,
        completion: ((Result<Void, UVError>) -> Void)? = nil
    ) throws(UVError) {
        try checkOpen("uv_udp_send")
        try unsafe submit(loop.own(buffer).takeBlock(), to: destination, completion)
    }

    /// Sends several buffers together as one datagram (`uv_udp_send`).
    ///
    /// - Throws: the same errors as `send` of one buffer. If the call throws, all buffers have returned to the pool,
    ///   and `completion` is not called.
    public func send(
        _ buffers: consuming UVBufferVector, to destination: SocketAddress? = nil,
        completion: ((Result<Void, UVError>) -> Void)? = nil
    ) throws(UVError) {
        try checkOpen("uv_udp_send")
        guard let first = unsafe buffers.takeBlocks() else {
            return try send(loop.makeBuffer(capacity: 0), to: destination, completion: completion)
        }
        try unsafe submit(loop.own(first), to: destination, completion)
    }

    /// The number of queued bytes, including those that the library has queued itself (`uv_udp_get_send_queue_size`).
    public var sendQueueSize: Int {
        assertOnThread()
        return unsafe uv_udp_get_send_queue_size(udp) + state.pointee.queue.byteCount
    }

    /// The number of datagrams that are queued or wait for their completion (`uv_udp_get_send_queue_count`).
    public var sendQueueCount: Int {
        assertOnThread()
        return unsafe uv_udp_get_send_queue_count(udp) + state.pointee.queue.count
    }
}
