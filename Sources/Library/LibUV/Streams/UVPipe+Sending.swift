internal import CLibUV

// Handles that go over a pipe beside its bytes. The kernel gives the receiver a descriptor of its own for what the
// sender's handle refers to; the sender's stays open, and is the sender's to close.

extension UVPipe {
    /// Writes a buffer, and sends a handle with its first byte (`uv_write2`).
    ///
    /// The handle is kept until the write has completed; a handle that is closed before fails the write with
    /// `badDescriptor`, and then nothing more can be written.
    ///
    /// - Parameters:
    ///   - buffer: at least one byte, which the receiver reads together with the handle.
    ///   - handle: a TCP or pipe stream or listener, or a datagram socket, of this pipe's loop.
    ///   - completion: called once, in order with those of other writes, before the stream has closed. On success
    ///     the handle is in the kernel's hands, and may be closed.
    /// - Throws: `invalidArgument` where the pipe does not pass handles, the buffer is empty, or the handle is of
    ///   another kind or of another loop; `badDescriptor` for a handle without a socket or a pipe that is closing;
    ///   `brokenPipe` on a pipe that has been shut down. The buffer is then back in the pool.
    public func write(
        _ buffer: consuming UVWriteBuffer, sending handle: UVHandle,
        completion: @escaping (Result<Void, UVError>) -> Void = { _ in }
    ) throws(UVError) {
        assertOnThread()
        try checkSendable(handle, "uv_write2")
        if buffer.isEmpty { throw UVError(.invalidArgument, operation: "uv_write2") }
        let block = unsafe buffer.takeBlock()
        // The completion keeps the handle, and with it the memory that libuv looks at when it sends.
        unsafe WriteCompletion.attach({ result in withExtendedLifetime(handle) { completion(result) } }, to: block)
        try unsafe GatheredWrites.write(block, sending: cuv_stream_of_handle(handle.raw), on: stream, of: loop)
    }

    /// Writes as much as the kernel takes at once, and sends a handle with the first byte (`uv_try_write2`).
    ///
    /// - Returns: how many bytes were taken; zero, and the handle was not sent, where the pipe would block or
    ///   writes are waiting.
    /// - Throws: as `write(_:sending:completion:)`.
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

    /// Refuses what libuv would send to nobody, or trip over.
    private func checkSendable(_ handle: UVHandle, _ operation: String) throws(UVError) {
        let type = unsafe uv_handle_get_type(handle.raw)
        guard passesHandles, handle.loop === loop, type == UV_TCP || type == UV_NAMED_PIPE || type == UV_UDP else {
            throw UVError(.invalidArgument, operation: operation)
        }
        if !handle.hasDescriptor { throw UVError(.badDescriptor, operation: operation) }
    }
}

extension UVPipe {
    /// How many handles have come over the pipe and wait to be accepted (`uv_pipe_pending_count`).
    ///
    /// A handle comes with the bytes that it was sent with: look here when bytes are read. What waits when the pipe
    /// is closed is closed with it.
    public var pendingCount: Int {
        assertOnThread()
        return Int(unsafe uv_pipe_pending_count(pipe))
    }

    /// What the first of the handles that wait is; `nil` where none does (`uv_pipe_pending_type`).
    public var pendingKind: UVDescriptorKind? {
        pendingCount > 0 ? unsafe UVDescriptorKind(uv_pipe_pending_type(pipe)) : nil
    }

    /// Takes the first of the handles that wait, a stream (`uv_accept`).
    ///
    /// - Returns: a `UVTCPStream` or a `UVPipe`, on this pipe's loop.
    /// - Throws: `wouldBlock` where none waits; `invalidArgument` where it is neither kind, and still waits.
    public func acceptPending(file: StaticString = #fileID, line: UInt = #line) throws(UVError) -> UVStream {
        let place = UVSourcePlace(file: file, line: line)
        return pendingKind == .tcp
            ? try takePending(.tcp) { () throws(UVError) in try UVTCPStream(on: loop, place: place) }
            : try takePending(.pipe) { () throws(UVError) in
                try UVPipe(on: loop, passesHandles: false, place: place)
            }
    }

    /// Takes the first of the handles that wait, a pipe that passes handles in turn (`uv_accept`).
    ///
    /// - Throws: as `acceptPending`.
    public func acceptPendingPipe(
        passesHandles: Bool, file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) -> UVPipe {
        try takePending(.pipe) { () throws(UVError) in
            try UVPipe(on: loop, passesHandles: passesHandles, place: UVSourcePlace(file: file, line: line))
        }
    }

    /// Takes the first of the handles that wait, a TCP socket that is bound, and may be listened on (`uv_accept`).
    ///
    /// - Throws: as `acceptPending`.
    public func acceptPendingTCPListener(
        file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) -> UVTCPListener {
        try takePending(.tcp) { () throws(UVError) in try UVTCPListener(on: loop, file: file, line: line) }
    }

    /// Takes the first of the handles that wait, a Unix socket that is bound, and may be listened on (`uv_accept`).
    ///
    /// - Throws: as `acceptPending`.
    public func acceptPendingPipeListener(
        file: StaticString = #fileID, line: UInt = #line
    ) throws(UVError) -> UVPipeListener {
        try takePending(.pipe) { () throws(UVError) in try UVPipeListener(on: loop, file: file, line: line) }
    }

    /// Closes the first of the handles that wait, whatever it is.
    ///
    /// - Throws: `wouldBlock` where none waits.
    public func discardPending() throws(UVError) {
        try checkOpen("uv_accept")
        guard pendingCount > 0 else { throw UVError(.wouldBlock, operation: "uv_accept") }
        // A pipe takes every descriptor, since it does not look at it before it reads.
        let taker = try UVPipe(on: loop)
        defer { taker.close() }
        try accept(into: taker)
    }

    /// Takes the first of the handles that wait, where it is of a kind, into what `make` makes.
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
        // The sender may have left its socket blocking, which would hold up this loop.
        let descriptor = try unsafe fileDescriptor(of: handle.raw)
        try SystemDescriptor.setBlocking(descriptor, false)
    }

    /// Stops what `uv_accept` starts: with the last handle taken it watches the pipe for bytes, and where nobody
    /// reads, the loop would turn without end.
    private func stayStopped() {
        guard unsafe uv_is_active(raw) == 0, unsafe cuv_read_start(stream, Trampolines.onRead) == 0 else { return }
        unsafe uv_read_stop(stream)
    }
}
