internal import CLibUV
internal import SocketAddresses

// The way of a datagram: submitted, given to libuv or queued behind another, completed.

extension UVUDP {
    /// How many datagrams that waited are tried in one completion, before the loop has its round.
    private static var triesPerRound: Int { 64 }

    /// Whether sends are under way, which nothing may overtake.
    var isSending: Bool {
        unsafe udp.pointee.send_queue_count != 0 || !state.pointee.queue.isEmpty || state.pointee.isTrying
    }

    /// Refuses a destination on a connected socket, and none on one that is not, as libuv does.
    func checkDestination(_ destination: SocketAddress?, _ operation: String) throws(UVError) {
        let isConnected = unsafe state.pointee.isConnected
        if isConnected, destination != nil { throw UVError(.alreadyConnected, operation: operation) }
        if !isConnected, destination == nil { throw UVError(.destinationRequired, operation: operation) }
    }

    /// Sends a chain of blocks as one datagram; they are libuv's, or back in the pool.
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
        // libuv calls back in a later round, never within the call above.
        unsafe loop.pool.pointee.inFlight += WriteChain.blockCount(first)
    }

    /// Gives a datagram to libuv.
    private func give(_ request: DatagramRequests.Request) -> Int32 {
        guard let first = unsafe request.pointee.first else { return UV_EINVAL.rawValue }
        return unsafe WriteChain.withBuffers(of: first) { buffers, count in
            unsafe uv_udp_send(
                cuv_datagram_send(request), udp, buffers, count, cuv_datagram_destination(request), Trampolines.onSend)
        }
    }

    /// Sends a datagram at once, or tells why not.
    private func tryAtOnce(_ request: DatagramRequests.Request) -> Int32 {
        guard let first = unsafe request.pointee.first else { return UV_EINVAL.rawValue }
        return unsafe WriteChain.withBuffers(of: first) { buffers, count in
            unsafe uv_udp_try_send(udp, buffers, count, cuv_datagram_destination(request))
        }
    }

    /// libuv has sent a datagram, or failed to: those that wait behind it have their turn.
    func sent(_ request: DatagramRequests.Request, _ status: Int32) {
        unsafe complete(request, status)
        if isClosing { return }
        guard unsafe !state.pointee.queue.isEmpty, unsafe udp.pointee.send_queue_count == 0 else { return }
        // What a completion sends goes to the end of the queue.
        unsafe state.pointee.isTrying = true
        tryWaiting()
        unsafe state.pointee.isTrying = false
    }

    /// Tries those that wait, up to a bound; the first that cannot be sent at once is libuv's.
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

    /// Completes what waits on a socket that has closed.
    func cancelWaiting() {
        while let request = unsafe state.pointee.queue.takeFirst() {
            unsafe complete(request, UV_ECANCELED.rawValue)
        }
    }

    /// A send is complete: its buffers and its request go back, and whoever asked is told.
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

    /// What a send's status says.
    private func result(of status: Int32) -> Result<Void, UVError> {
        guard status < 0 else { return .success(()) }
        // libuv before 1.48 tries the descriptor of a socket that was closed in its own receive callback.
        if isClosing, status == UV_EBADF.rawValue { return .failure(UVError(.cancelled, operation: "uv_udp_send")) }
        return .failure(UVError(code: status, operation: "uv_udp_send"))
    }
}
