internal import CLibUV

// Sending handles over a pipe, together with bytes. For the socket of the sender's handle, the kernel makes a new
// descriptor in the receiving process. The sender's handle stays open, and the sender must close it.

extension UVPipe {
    /// Writes a buffer, and sends a handle together with the buffer's first byte (`uv_write2`).
    ///
    /// The write retains the handle until the write has completed. If the handle is closed before that, the write fails
    /// with `badDescriptor`, and no more writes are possible.
    ///
    /// - Parameters:
    ///   - buffer: the bytes to write, at least one. The receiver gets the handle when it reads the first of these
    ///     bytes.
    ///   - handle: a TCP or pipe stream, a listener, or a datagram socket. It must belong to the loop of this pipe.
    ///   - completion: called once, in the order of the writes, before the stream has closed. If it receives success,
    ///     the kernel has accepted the handle, and the program may close it.
    /// - Throws: `invalidArgument` if the pipe does not pass handles, if the buffer is empty, or if the handle is of
    ///   another kind or belongs to another loop; `badDescriptor` if the handle has no socket or the pipe is closing;
    ///   `brokenPipe` if the pipe has been shut down. If the call throws, the buffer has returned to the pool.
    public func write(
        _ buffer: consuming UVBuffer, sending handle: UVHandle,
        completion: @escaping (Result<Void, UVError>) -> Void = { _ in }
    ) throws(UVError) {
        assertOnThread()
        try checkSendable(handle, "uv_write2")
        if buffer.isEmpty { throw UVError(.invalidArgument, operation: "uv_write2") }
        let block = unsafe loop.own(buffer).takeBlock()
        // The completion retains the handle, because libuv accesses the handle's memory when it sends the bytes.
        unsafe WriteCompletion.attach({ result in withExtendedLifetime(handle) { completion(result) } }, to: block)
        try unsafe GatheredWrites.write(block, sending: cuv_stream_of_handle(handle.raw), on: stream, of: loop)
        noteQueueSize()
    }

    /// Writes as many bytes as the kernel accepts immediately, and sends a handle with the first byte
    /// (`uv_try_write2`).
    ///
    /// - Returns: the number of bytes that the kernel has accepted. If the pipe would block or writes are queued, the
    ///   number is 0, and the handle has not been sent.
    /// - Throws: the same errors as `write(_:sending:completion:)`.
    public func tryWrite(_ bytes: Span<UInt8>, sending handle: UVHandle) throws(UVError) -> Int {
        assertOnThread()
        try checkSendable(handle, "uv_try_write2")
        if bytes.isEmpty { throw UVError(.invalidArgument, operation: "uv_try_write2") }
        if writeQueueSize != 0 { return 0 }
        let sent = unsafe cuv_stream_of_handle(handle.raw)
        let status = unsafe bytes.withUnsafeBufferPointer {
            unsafe cuv_try_write2(stream, $0.baseAddress, $0.count, sent)
        }
        if status < 0 { return try unwritten(status) }
        unsafe loop.cell.pointee.bytes_written += UInt64(status)
        return Int(status)
    }

    /// Throws an error for a handle that libuv cannot send.
    private func checkSendable(_ handle: UVHandle, _ operation: String) throws(UVError) {
        let type = unsafe uv_handle_get_type(handle.raw)
        guard passesHandles, handle.loop === loop, type == UV_TCP || type == UV_NAMED_PIPE || type == UV_UDP else {
            throw UVError(.invalidArgument, operation: operation)
        }
        if !handle.hasDescriptor { throw UVError(.badDescriptor, operation: operation) }
    }
}

extension UVPipe {
    /// The number of received handles that have not been accepted yet (`uv_pipe_pending_count`).
    ///
    /// A handle arrives together with the bytes of its write, so check this property when bytes have been read. Closing
    /// the pipe closes all handles that have not been accepted.
    public var pendingCount: Int {
        assertOnThread()
        return Int(unsafe uv_pipe_pending_count(pipe))
    }

    /// The kind of the first pending handle, or `nil` if no handle is pending (`uv_pipe_pending_type`).
    public var pendingKind: UVDescriptorKind? {
        pendingCount > 0 ? unsafe UVDescriptorKind(uv_pipe_pending_type(pipe)) : nil
    }

    /// Accepts the first pending handle as a stream (`uv_accept`).
    ///
    /// - Returns: a `UVTCPStream` or a `UVPipe` on the loop of this pipe.
    /// - Throws: `wouldBlock` if no handle is pending; `invalidArgument` if the handle is of another kind. In that
    ///   case, the handle stays pending.
    public func acceptPending(file: StaticString = #fileID, line: UInt = #line) throws(UVError) -> UVStream {
        let location = UVSourceLocation(file: file, line: line)
        return pendingKind == .tcp
            ? try takePending(.tcp) { () throws(UVError) in try UVTCPStream(on: loop, location: location) }
            : try takePending(.pipe) { () throws(UVError) in
                try UVPipe(on: loop, passesHandles: false, location: location)
            }
    }

    /// Accepts the first pending handle as a pipe, and sets whether that pipe can itself pass handles (`uv_accept`).
    ///
    /// - Throws: the same errors as `acceptPending`.
    public func acceptPendingPipe(
        passesHandles: Bool, file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) -> UVPipe {
        try takePending(.pipe) { () throws(UVError) in
            try UVPipe(on: loop, passesHandles: passesHandles, location: UVSourceLocation(file: file, line: line))
        }
    }

    /// Accepts the first pending handle as a bound TCP socket, on which the program can listen (`uv_accept`).
    ///
    /// - Throws: the same errors as `acceptPending`.
    public func acceptPendingTCPListener(
        file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) -> UVTCPListener {
        try takePending(.tcp) { () throws(UVError) in try UVTCPListener(on: loop, file: file, line: line) }
    }

    /// Accepts the first pending handle as a bound Unix domain socket, on which the program can listen (`uv_accept`).
    ///
    /// - Throws: the same errors as `acceptPending`.
    public func acceptPendingPipeListener(
        file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) -> UVPipeListener {
        try takePending(.pipe) { () throws(UVError) in try UVPipeListener(on: loop, file: file, line: line) }
    }

    /// Closes the first pending handle, whatever its kind.
    ///
    /// - Throws: `wouldBlock` if no handle is pending.
    public func discardPending() throws(UVError) {
        try checkOpen("uv_accept")
        guard pendingCount > 0 else { throw UVError(.wouldBlock, operation: "uv_accept") }
        // A pipe can adopt any descriptor, because libuv does not check the descriptor before reading.
        let taker = try UVPipe(on: loop)
        defer { taker.close() }
        try accept(into: taker)
    }

    /// Accepts the first pending handle into the handle that `make` returns, or throws an error if the pending handle
    /// is not of the given kind.
    func takePending<Handle: UVHandle>(
        _ kind: UVDescriptorKind, _ make: () throws(UVError) -> Handle
    ) throws(UVError) -> Handle {
        try checkOpen("uv_accept")
        guard let pendingKind else { throw UVError(.wouldBlock, operation: "uv_accept") }
        guard pendingKind == kind else { throw UVError(.invalidArgument, operation: "uv_accept") }
        let handle = try make()
        do throws(UVError) { try accept(into: handle) } catch {
            handle.close()
            throw error
        }
        return handle
    }

    private func accept(into handle: UVHandle) throws(UVError) {
        try unsafe check(uv_accept(stream, cuv_stream_of_handle(handle.raw)), "uv_accept")
        stayStopped()
        // The sender's socket may be blocking, which would block this loop.
        let descriptor = try unsafe fileDescriptor(of: handle.raw)
        try SystemDescriptor.setBlocking(descriptor, false)
    }

    /// Stops watching the pipe for bytes if the program is not reading.
    ///
    /// When `uv_accept` accepts the last pending handle, it starts to watch the pipe. Without a reader, the loop would
    /// then spin.
    private func stayStopped() {
        guard unsafe uv_is_active(raw) == 0, unsafe cuv_read_start(stream, Trampolines.onRead) == 0 else { return }
        unsafe uv_read_stop(stream)
    }
}
