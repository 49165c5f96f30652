public import CLibUV

extension UVStream {
    /// The number of bytes that the kernel has not accepted yet (`uv_stream_get_write_queue_size`).
    ///
    /// It includes bytes that the library has gathered behind a pending write.
    @inlinable public final var writeQueueSize: Int {
        assertOnThread()
        let waiting = unsafe stream.pointee.write_queue_size
        if unsafe UInt(bitPattern: stream.pointee.data) & Trampolines.gathersWrites == 0 { return waiting }
        return unsafe waiting &+ GatheredWrites.byteCount(stream)
    }

    /// Returns a buffer with room for at least `capacity` bytes, from the pool of the stream's loop
    /// (`UVLoop.makeBuffer`).
    @inlinable
    @inline(__always)
    public final func makeBuffer(capacity: Int) -> UVBuffer {
        assertOnThread()
        // The pool exists as long as the loop object, which this handle retains.
        let pool = unsafe cuv_loop_of_stream(stream).pointee.pool.assumingMemoryBound(to: BufferPool.self)
        return unsafe UVBuffer(block: pool.pointee.take(capacity: capacity, pool: pool))
    }

    /// Returns a buffer from the pool, after `fill` has written at most `capacity` bytes to it (`UVLoop.makeBuffer`).
    @inlinable
    @inline(__always)
    public final func makeBuffer<Failure: Error>(
        capacity: Int, filledBy fill: (inout OutputSpan<UInt8>) throws(Failure) -> Void
    ) throws(Failure) -> UVBuffer {
        assertOnThread()
        let pool = unsafe cuv_loop_of_stream(stream).pointee.pool.assumingMemoryBound(to: BufferPool.self)
        let capacity = Swift.max(0, capacity)
        let block = unsafe pool.pointee.take(capacity: capacity, pool: pool)
        // The block has room for at least `capacity` bytes, and a new block is empty.
        let storage = unsafe UnsafeMutableBufferPointer(start: cuv_block_bytes(block), count: capacity)
        var output = unsafe OutputSpan(buffer: storage, initializedCount: 0)
        do throws(Failure) { try fill(&output) } catch {
            unsafe pool.pointee.giveBack(block)
            throw error
        }
        unsafe block.pointee.count = output.finalize(for: storage)
        return unsafe UVBuffer(block: block)
    }

    /// Writes a buffer and takes ownership of it (`uv_write`).
    ///
    /// The buffer returns to the pool after libuv's write callback, or immediately if the write throws or the buffer is
    /// empty. The event `failed` reports a failure. The event `written` reports success if `reportsWrites` is set. A
    /// buffer of another loop is copied and returns to its own pool immediately.
    ///
    /// - Throws: `badDescriptor` if the stream is closing or was never connected; `brokenPipe` if it has been shut
    ///   down.
    @inlinable
    @inline(__always)
    public final func write(_ buffer: consuming UVBuffer) throws(UVError) {
        assertOnThread()
        let block = unsafe buffer.takeBlock()
        let loop = unsafe cuv_loop_of_stream(stream)
        // Only this stream's state is checked, so a stream that gathers writes costs other streams nothing.
        let seldom = Trampolines.gathersWrites | Trampolines.hasWaterMarks
        if unsafe stream.pointee.write_queue_size != 0 || UInt(bitPattern: stream.pointee.data) & seldom != 0
            || block.pointee.count == 0 || block.pointee.pool != loop.pointee.pool
        {
            return try unsafe writeBehind(block)
        }
        let status = unsafe cuv_write_one(block, stream, Trampolines.onWrite)
        if status < 0 { throw unsafe refused(block, status) }
        // libuv owns the block until the write callback. `uv_write` itself never calls the callback, so the block is
        // still valid here.
        unsafe UVStream.count(block, of: stream, on: loop)
    }

    /// Writes a buffer (`uv_write`), and calls `completion` when the kernel has accepted its bytes or the write has
    /// failed.
    ///
    /// - Parameters:
    ///   - buffer: the buffer to write. Even an empty buffer is written, and its write completes in the order of the
    ///     writes.
    ///   - completion: called once, in the order of the writes, before the stream has closed.
    /// - Throws: the same errors as `write` without a completion. If the call throws, `completion` is not called.
    public final func write(
        _ buffer: consuming UVBuffer, completion: @escaping (Result<Void, UVError>) -> Void
    ) throws(UVError) {
        var vector = UVBufferVector()
        vector.append(buffer)
        try write(vector, completion: completion)
    }

    /// Writes several buffers in one write (`uv_write`), and calls `completion` once for all of them.
    ///
    /// Buffers of other loops are copied and return to their own pools immediately.
    ///
    /// - Throws: the same errors as `write` of one buffer. If the call throws, all buffers have returned to the pool,
    ///   and `completion` is not called.
    public final func write(
        _ buffers: consuming UVBufferVector, completion: ((Result<Void, UVError>) -> Void)? = nil
    ) throws(UVError) {
        assertOnThread()
        guard let taken = unsafe buffers.takeBlocks() else {
            if let completion { try write(loop.makeBuffer(capacity: 0), completion: completion) }
            return
        }
        let first = unsafe loop.own(taken)
        if let completion { unsafe WriteCompletion.attach(completion, to: first) }
        try unsafe writeOwn(first)
    }

    /// Writes as many bytes as the kernel accepts immediately (`uv_try_write`).
    ///
    /// - Returns: the number of bytes that the kernel has accepted. It is 0 if the stream would block. It is also 0 if
    ///   writes are queued, because `bytes` must not overtake them.
    /// - Throws: `brokenPipe` or `connectionReset` if the peer has closed the connection; `badDescriptor` if the stream
    ///   is closing.
    @inlinable
    @inline(__always)
    public final func tryWrite(_ bytes: Span<UInt8>) throws(UVError) -> Int {
        assertOnThread()
        // If writes are gathered, a write is pending in libuv, so `uv_try_write` returns UV_EAGAIN.
        let loop = unsafe cuv_loop_of_stream(stream)
        let status = unsafe bytes.withUnsafeBufferPointer { unsafe cuv_try_write(stream, $0.baseAddress, $0.count) }
        if status < 0 { return try unwritten(status) }
        unsafe loop.pointee.bytes_written &+= UInt64(truncatingIfNeeded: status)
        return Int(status)
    }

    /// Whether the write queue is empty, so that a direct write overtakes no queued bytes.
    @inline(__always)
    final var mayWriteDirectly: Bool { unsafe stream.pointee.write_queue_size == 0 }

    /// Writes as many bytes as the kernel accepts immediately (`uv_try_write`).
    ///
    /// - Parameter buffer: a buffer that is not empty.
    /// - Returns: the number of bytes that the kernel has accepted, or a negative error code.
    @inline(__always)
    final func writeToKernel(_ buffer: borrowing UVBuffer) -> Int {
        let status = unsafe cuv_try_write(stream, buffer.bytes, buffer.count)
        if status > 0 { unsafe cuv_loop_of_stream(stream).pointee.bytes_written &+= UInt64(truncatingIfNeeded: status) }
        return Int(status)
    }

    /// Returns 0 if the stream would block, and throws any other error.
    @usableFromInline
    @inline(never)
    final func unwritten(_ status: Int32) throws(UVError) -> Int {
        guard status == UV_EAGAIN.rawValue else { throw UVError(code: status, operation: "uv_try_write") }
        return 0
    }

    /// Counts a block that libuv has accepted.
    @inlinable
    @inline(__always)
    static func count(
        _ block: UnsafeMutablePointer<cuv_write_block>, of stream: UnsafeMutablePointer<uv_stream_t>,
        on loop: UnsafeMutablePointer<cuv_loop>
    ) {
        if unsafe block.pointee.size_class >= BufferPool.largeClass {
            unsafe cuv_burst_wrote(stream, block.pointee.count)
        }
        unsafe loop.pointee.bytes_written &+= UInt64(truncatingIfNeeded: block.pointee.count)
        unsafe loop.pointee.pool.assumingMemoryBound(to: BufferPool.self).pointee.inFlight &+= 1
    }

    /// Returns a rejected block to the pool, and makes the error to throw.
    @usableFromInline
    @inline(never)
    final func refused(_ block: UnsafeMutablePointer<cuv_write_block>, _ status: Int32) -> UVError {
        unsafe UVBuffer.giveBack(block)
        return UVError(code: status, operation: "uv_write")
    }

    /// Writes a block that cannot be written directly, because earlier writes are pending, the stream has water marks,
    /// the block is empty, or the block is from another loop's pool.
    @usableFromInline
    @inline(never)
    final func writeBehind(_ block: UnsafeMutablePointer<cuv_write_block>) throws(UVError) {
        try unsafe writeOwn(loop.own(block))
    }

    /// Writes a chain of blocks from the pool of this loop, or queues the chain if earlier writes are pending.
    private final func writeOwn(_ first: UnsafeMutablePointer<cuv_write_block>) throws(UVError) {
        if unsafe first.pointee.count == 0, unsafe first.pointee.next == nil, unsafe first.pointee.role == .only {
            return unsafe UVBuffer.giveBack(first)
        }
        try unsafe GatheredWrites.write(first, on: stream, of: loop)
        noteQueueSize()
    }
}

extension UVBuffer {
    /// Returns the block, and transfers ownership of it to the caller.
    @inlinable
    @inline(__always)
    consuming func takeBlock() -> UnsafeMutablePointer<cuv_write_block> {
        let block = unsafe self.block
        discard self
        return unsafe block
    }
}
