internal import CLibUV
public import SocketAddresses

extension UVUDP {
    /// Sends a buffer as one datagram (`uv_udp_send`), which the socket owns from here on: it is back in the pool once
    /// libuv has called back, or at once where the send is refused.
    ///
    /// An empty buffer is sent as an empty datagram. A socket that is not bound is bound to a free port first.
    ///
    /// - Parameters:
    ///   - buffer: the datagram.
    ///   - destination: where to; `nil` on a connected socket.
    ///   - completion: called once, in order with those of other sends and before the socket has closed: with success
    ///     when the kernel has taken the datagram, which does not say that it arrives; with `messageTooLarge` and the
    ///     like; with `cancelled` where the socket was closed before. Without one, the event `failed` tells of a
    ///     failure.
    /// - Throws: `alreadyConnected` for a destination on a connected socket, `destinationRequired` for none on one that
    ///   is not, `invalidArgument` on one that is closing; `completion` is then not called.
    public func send(
        _ buffer: consuming UVWriteBuffer, to destination: SocketAddress? = nil,
        completion: ((Result<Void, UVError>) -> Void)? = nil
    ) throws(UVError) {
        try checkOpen("uv_udp_send")
        try unsafe submit(buffer.takeBlock(), to: destination, completion)
    }

    /// Sends several buffers together as one datagram (`uv_udp_send`).
    ///
    /// - Throws: as `send` of one buffer; all of them are then back in the pool, and `completion` is not called.
    public func send(
        _ buffers: consuming UVWriteVector, to destination: SocketAddress? = nil,
        completion: ((Result<Void, UVError>) -> Void)? = nil
    ) throws(UVError) {
        try checkOpen("uv_udp_send")
        guard let first = unsafe buffers.takeBlocks() else {
            return try send(loop.makeBuffer(capacity: 0), to: destination, completion: completion)
        }
        try unsafe submit(first, to: destination, completion)
    }

    /// How many bytes wait to be sent (`uv_udp_get_send_queue_size`, and what waits behind).
    public var sendQueueSize: Int {
        assertOnThread()
        return unsafe uv_udp_get_send_queue_size(udp) + state.pointee.queue.byteCount
    }

    /// How many datagrams wait to be sent, or for their completion (`uv_udp_get_send_queue_count`, and those behind).
    public var sendQueueCount: Int {
        assertOnThread()
        return unsafe uv_udp_get_send_queue_count(udp) + state.pointee.queue.count
    }
}
