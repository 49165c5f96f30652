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
    ///     failure. With libuv before 1.50, one datagram that fails takes with it up to 19 that wait behind it: they
    ///     are not sent, and fail with the same code.
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

    private func submit(
        _ first: WriteChain.Block, to destination: SocketAddress?, _ completion: ((Result<Void, UVError>) -> Void)?
    ) throws(UVError) {
        if let completion { unsafe WriteCompletion.attach(completion, to: first) }
        let request = unsafe loop.state.pointee.datagramRequests.take()
        unsafe request.pointee.first = first
        do throws(UVError) {
            let status = try unsafe SystemAddress.withOptional(destination, "uv_udp_send") { system in
                unsafe WriteChain.withBuffers(of: first) { buffers, count in
                    unsafe uv_udp_send(cuv_datagram_send(request), udp, buffers, count, system, Trampolines.onSend)
                }
            }
            try check(status, "uv_udp_send")
        } catch {
            unsafe loop.state.pointee.datagramRequests.giveBack(request)
            unsafe WriteChain.drop(first)
            throw error
        }
        // libuv calls back in a later round, never within the call above.
        unsafe loop.pool.pointee.inFlight += WriteChain.blockCount(first)
    }

    /// A send has completed: its buffers and its request go back, and whoever asked is told.
    func sent(_ request: DatagramRequests.Request, _ status: Int32) {
        let first = unsafe request.pointee.first
        unsafe loop.state.pointee.datagramRequests.giveBack(request)
        guard let first = unsafe first else { return }
        let completion = unsafe WriteCompletion.detach(from: first)
        unsafe loop.pool.pointee.inFlight -= WriteChain.blockCount(first)
        unsafe WriteChain.drop(first)
        let result = result(of: status)
        if let completion { return completion(result) }
        if case .failure(let error) = result, !isClosing { emit(.failed(error)) }
    }

    /// What a send's status says.
    private func result(of status: Int32) -> Result<Void, UVError> {
        guard status < 0 else { return .success(()) }
        // libuv before 1.48 tries the descriptor of a socket that was closed in its own receive callback.
        if isClosing, status == UV_EBADF.rawValue { return .failure(UVError(.cancelled, operation: "uv_udp_send")) }
        return .failure(UVError(code: status, operation: "uv_udp_send"))
    }

    /// Sends a datagram if the kernel takes it at once (`uv_udp_try_send`).
    ///
    /// - Parameters:
    ///   - bytes: the datagram; they are the caller's again when the call returns.
    ///   - destination: where to; `nil` on a connected socket.
    /// - Returns: whether it was sent: false where the socket would block, or where sends are waiting, so that nothing
    ///   overtakes them.
    /// - Throws: as `send`, and what a send's completion would be given.
    public func trySend(_ bytes: Span<UInt8>, to destination: SocketAddress? = nil) throws(UVError) -> Bool {
        try checkOpen("uv_udp_try_send")
        let status = try unsafe SystemAddress.withOptional(destination, "uv_udp_try_send") { system in
            unsafe bytes.withUnsafeBufferPointer { unsafe cuv_udp_try_send(udp, $0.baseAddress, $0.count, system) }
        }
        if status == UV_EAGAIN.rawValue { return false }
        try check(status, "uv_udp_try_send")
        return true
    }

    /// Sends each buffer as a datagram of its own, as long as the kernel takes them at once (`uv_udp_try_send2`; with
    /// libuv before 1.50, `uv_udp_try_send` for each).
    ///
    /// - Parameters:
    ///   - datagrams: the datagrams, which stay the caller's.
    ///   - destination: where to, all of them; `nil` on a connected socket.
    /// - Returns: how many were sent, from the first on; fewer than there are where the socket would block, where
    ///   sends are waiting, or where the one after the last has failed: trying that one again tells why.
    /// - Throws: why the first was not sent; `invalidArgument` on a socket that is not bound.
    public func trySendEach(
        _ datagrams: borrowing UVWriteVector, to destination: SocketAddress? = nil
    ) throws(UVError) -> Int {
        try checkOpen("uv_udp_try_send2")
        guard let first = unsafe datagrams.first, sendQueueCount == 0 else { return 0 }
        if unsafe (try? fileDescriptor(of: raw)) == nil {
            throw UVError(.invalidArgument, operation: "uv_udp_try_send2")
        }
        let status = try unsafe SystemAddress.withOptional(destination, "uv_udp_try_send2") { system in
            unsafe WriteChain.withBuffers(of: first) { buffers, count in
                guard let buffers = unsafe buffers else { return 0 }
                return unsafe trySendEach(buffers, count, system)
            }
        }
        if status == UV_EAGAIN.rawValue { return 0 }
        return Int(try check(status, "uv_udp_try_send2"))
    }

    /// How many of some datagrams were sent, or why the first was not.
    private func trySendEach(
        _ buffers: UnsafeMutablePointer<uv_buf_t>, _ count: UInt32, _ system: UnsafePointer<sockaddr>?
    ) -> Int32 {
        var sent: UInt32 = 0
        while sent < count {
            let rest = unsafe buffers + Int(sent)
            var status = unsafe cuv_udp_try_send_each(udp, rest, count - sent, UnsafeMutablePointer(mutating: system))
            if status == UV_ENOSYS.rawValue {
                status = unsafe uv_udp_try_send(udp, rest, 1, system)
                if status >= 0 { status = 1 }
            }
            // A part that was not sent whole ends with a datagram that would be the first of the next part, and fails.
            if status < 0 { return sent == 0 ? status : Int32(sent) }
            sent += UInt32(status)
        }
        return Int32(sent)
    }

    /// How many bytes wait to be sent (`uv_udp_get_send_queue_size`).
    public var sendQueueSize: Int {
        assertOnThread()
        return unsafe uv_udp_get_send_queue_size(udp)
    }

    /// How many datagrams wait to be sent, or for their completion (`uv_udp_get_send_queue_count`).
    public var sendQueueCount: Int {
        assertOnThread()
        return unsafe uv_udp_get_send_queue_count(udp)
    }
}
