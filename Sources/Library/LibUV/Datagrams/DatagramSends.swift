internal import CLibUV
internal import SocketAddresses

// A datagram is first submitted. It is then passed to libuv or queued behind another datagram, and finally completed.

extension UVUDP {
    /// The maximum number of queued datagrams that one completion tries to send before the loop continues.
    private static var triesPerRound: Int { 64 }

    /// Whether sends are pending, which later sends must not overtake.
    var isSending: Bool {
        unsafe udp.pointee.send_queue_count != 0 || !state.pointee.queue.isEmpty || state.pointee.isTrying
    }

    /// Throws the same errors as libuv if a connected socket is given a destination, or if an unconnected socket is
    /// given none.
    func checkDestination(_ destination: SocketAddress?, _ operation: String) throws(UVError) {
        let isConnected = unsafe state.pointee.isConnected
        if isConnected, destination != nil { throw UVError(.alreadyConnected, operation: operation) }
        if !isConnected, destination == nil { throw UVError(.destinationRequired, operation: operation) }
    }

    /// Sends a chain of blocks as one datagram.
    ///
    /// If the call throws, the blocks have returned to the pool. Otherwise they belong to libuv or to the queue.
    func submit(
        _ first: WriteChain.Block, to destination: SocketAddress?, _ completion: ((Result<Void, UVError>) -> Void)?
    ) throws(UVError) {
        if let completion { unsafe WriteCompletion.attach(completion, to: first) }
        let request = unsafe loop.state.pointee.datagramRequests.take()
        unsafe request.pointee.first = first
        do throws(UVError) {
            try checkDestination(destination, "uv_udp_send")
            try unsafe SystemAddress.withOptional(destination, "uv_udp_send") { system in
                unsafe cuv_datagram_set_destination(request, system)
            }
            if DatagramQueue.isNeeded, isSending {
                unsafe state.pointee.queue.append(request)
            } else {
                try unsafe check(give(request), "uv_udp_send")
            }
        } catch {
            unsafe loop.state.pointee.datagramRequests.giveBack(request)
            unsafe WriteChain.drop(first)
            throw error
        }
        // The blocks still exist, because libuv calls back in a later iteration, never during the call above.
        unsafe loop.pool.pointee.inFlight += WriteChain.blockCount(first)
    }

    /// Passes a datagram to libuv.
    private func give(_ request: DatagramRequests.Request) -> Int32 {
        guard let first = unsafe request.pointee.first else { return UV_EINVAL.rawValue }
        return unsafe WriteChain.withBuffers(of: first) { buffers, count in
            unsafe uv_udp_send(
                cuv_datagram_send(request), udp, buffers, count, cuv_datagram_destination(request), Trampolines.onSend)
        }
    }

    /// Tries to send a datagram immediately, and returns the result of the call.
    private func tryAtOnce(_ request: DatagramRequests.Request) -> Int32 {
        guard let first = unsafe request.pointee.first else { return UV_EINVAL.rawValue }
        return unsafe WriteChain.withBuffers(of: first) { buffers, count in
            unsafe uv_udp_try_send(udp, buffers, count, cuv_datagram_destination(request))
        }
    }

    /// Handles libuv's completion of a datagram, and tries to send the queued datagrams.
    func sent(_ request: DatagramRequests.Request, _ status: Int32) {
        unsafe complete(request, status)
        if isClosing { return }
        guard unsafe !state.pointee.queue.isEmpty, unsafe udp.pointee.send_queue_count == 0 else { return }
        // While `isTrying` is true, datagrams that a completion sends go to the end of the queue.
        unsafe state.pointee.isTrying = true
        tryWaiting()
        unsafe state.pointee.isTrying = false
    }

    /// Tries to send at most `triesPerRound` queued datagrams.
    ///
    /// The first datagram that cannot be sent immediately, or that would exceed this number, is passed to libuv.
    private func tryWaiting() {
        var budget = UVUDP.triesPerRound
        while !isClosing, let request = unsafe state.pointee.queue.takeFirst() {
            var status = budget > 0 ? unsafe tryAtOnce(request) : UV_EAGAIN.rawValue
            budget -= 1
            if status == UV_EAGAIN.rawValue {
                status = unsafe give(request)
                if status >= 0 { return }
            }
            unsafe complete(request, min(status, 0))
        }
    }

    /// Completes the queued datagrams of a closed socket with `cancelled`.
    func cancelWaiting() {
        while let request = unsafe state.pointee.queue.takeFirst() {
            unsafe complete(request, UV_ECANCELED.rawValue)
        }
    }

    /// Completes a send: returns its buffers and its request, and calls its completion.
    private func complete(_ request: DatagramRequests.Request, _ status: Int32) {
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

    /// Returns the result for the status of a send.
    private func result(of status: Int32) -> Result<Void, UVError> {
        guard status < 0 else { return .success(()) }
        // If a socket is closed in its own receive callback, libuv before 1.48 still uses the closed descriptor, and
        // reports `EBADF`.
        if isClosing, status == UV_EBADF.rawValue { return .failure(UVError(.cancelled, operation: "uv_udp_send")) }
        return .failure(UVError(code: status, operation: "uv_udp_send"))
    }
}
