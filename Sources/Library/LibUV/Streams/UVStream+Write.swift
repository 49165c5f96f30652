public import CLibUV

extension UVStream {
    /// How many bytes wait to be taken by the kernel (`uv_stream_get_write_queue_size`, and what waits behind it).
    @inlinable public final var writeQueueSize: Int {
        assertOnThread()
        let waiting = unsafe stream.pointee.write_queue_size
        if unsafe cuv_loop_of_stream(stream).pointee.gathering_streams == 0 { return waiting }
        return unsafe waiting &+ GatheredWrites.byteCount(stream)
    }

    /// A buffer with room for at least `capacity` bytes, from the pool of the stream's loop (`UVLoop.makeBuffer`).
    @inlinable
    @inline(__always)
    public final func makeBuffer(capacity: Int) -> UVWriteBuffer {
        assertOnThread()
        // The pool lives as long as the loop object, which this handle keeps.
        let pool = unsafe cuv_loop_of_stream(stream).pointee.pool.assumingMemoryBound(to: BufferPool.self)
        return unsafe UVWriteBuffer(block: pool.pointee.take(capacity: capacity, pool: pool))
    }

    /// A buffer of the pool, filled by `fill` with at most `capacity` bytes (`UVLoop.makeBuffer`).
    @inlinable
    @inline(__always)
    public final func makeBuffer<Failure: Error>(
        capacity: Int, filledBy fill: (inout OutputSpan<UInt8>) throws(Failure) -> Void
    ) throws(Failure) -> UVWriteBuffer {
        assertOnThread()
        let pool = unsafe cuv_loop_of_stream(stream).pointee.pool.assumingMemoryBound(to: BufferPool.self)
        let capacity = Swift.max(0, capacity)
        let block = unsafe pool.pointee.take(capacity: capacity, pool: pool)
        // A block has room for at least what was asked for, and a fresh one holds nothing.
        let storage = unsafe UnsafeMutableBufferPointer(start: cuv_block_bytes(block), count: capacity)
        var output = unsafe OutputSpan(buffer: storage, initializedCount: 0)
        do throws(Failure) { try fill(&output) } catch {
            unsafe pool.pointee.giveBack(block)
            throw error
        }
        unsafe block.pointee.count = output.finalize(for: storage)
        return unsafe UVWriteBuffer(block: block)
    }

    /// Writes a buffer and takes ownership of it (`uv_write`).
    ///
    /// The buffer returns to the pool after libuv's write callback, or at once if the write is refused or the buffer is
    /// empty. The event `failed` reports a failure. The event `written` reports success if `reportsWrites` is set.
    ///
    /// - Throws: `badDescriptor` if the stream is closing or was never connected; `brokenPipe` if it has been shut down.
    @inlinable
    @inline(__always)
    public final func write(_ buffer: consuming UVWriteBuffer) throws(UVError) {
        assertOnThread()
        let block = unsafe buffer.takeBlock()
        let loop = unsafe cuv_loop_of_stream(stream)
        if unsafe stream.pointee.write_queue_size != 0 || loop.pointee.gathering_streams != 0
            || block.pointee.count == 0
        {
            return try unsafe writeBehind(block)
        }
        let status = unsafe cuv_write_one(block, stream, Trampolines.onWrite)
        if status < 0 { throw unsafe refused(block, status) }
        // libuv owns the block until its write callback. `uv_write` never calls back, so the block is still valid here.
        unsafe UVStream.count(block, of: stream, on: loop)
    }

    /// Writes a buffer (`uv_write`), and calls `completion` when it has been taken by the kernel or has failed.
    ///
    /// - Parameters:
    ///   - buffer: as for `write` without a completion; an empty one is written too, and completes in its turn.
    ///   - completion: called once, in order with those of other writes, before the stream has closed.
    /// - Throws: as `write` without a completion; `completion` is then not called.
    public final func write(
        _ buffer: consuming UVWriteBuffer, completion: @escaping (Result<Void, UVError>) -> Void
    ) throws(UVError) {
        var vector = UVWriteVector()
        vector.append(buffer)
        try write(vector, completion: completion)
    }

    /// Writes several buffers in one write (`uv_write`), and calls `completion` once for all of them.
    ///
    /// - Throws: as `write` of one buffer; all of them are then back in the pool, and `completion` is not called.
    public final func write(
        _ buffers: consuming UVWriteVector, completion: ((Result<Void, UVError>) -> Void)? = nil
    ) throws(UVError) {
        assertOnThread()
        guard let first = unsafe buffers.takeBlocks() else {
            if let completion { try write(loop.makeBuffer(capacity: 0), completion: completion) }
            return
        }
        if let completion { unsafe WriteCompletion.attach(completion, to: first) }
        try unsafe writeBehind(first)
    }

    /// Writes as much as the kernel takes at once (`uv_try_write`).
    ///
    /// - Returns: how many bytes were taken: zero where the stream would block, or where writes are waiting, so
    ///   that nothing overtakes them.
    /// - Throws: `brokenPipe` or `connectionReset` where the peer is gone; `badDescriptor` on a closing stream.
    @inlinable
    @inline(__always)
    public final func tryWrite(_ bytes: Span<UInt8>) throws(UVError) -> Int {
        assertOnThread()
        let loop = unsafe cuv_loop_of_stream(stream)
        if unsafe loop.pointee.gathering_streams != 0, unsafe GatheredWrites.byteCount(stream) != 0 { return 0 }
        let status = unsafe bytes.withUnsafeBufferPointer { unsafe cuv_try_write(stream, $0.baseAddress, $0.count) }
        if status < 0 { return try unwritten(status) }
        unsafe loop.pointee.bytes_written &+= UInt64(truncatingIfNeeded: status)
        return Int(status)
    }

    /// A try that took nothing: zero where it would block.
    @usableFromInline
    @inline(never)
    final func unwritten(_ status: Int32) throws(UVError) -> Int {
        guard status == UV_EAGAIN.rawValue else { throw UVError(code: status, operation: "uv_try_write") }
        return 0
    }

    /// Counts a block that libuv has taken.
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

    /// Gives a refused block back, and makes the error to throw.
    @usableFromInline
    @inline(never)
    final func refused(_ block: UnsafeMutablePointer<cuv_write_block>, _ status: Int32) -> UVError {
        unsafe UVWriteBuffer.giveBack(block)
        return UVError(code: status, operation: "uv_write")
    }

    /// Writes a chain of blocks; if earlier writes are waiting, queues the chain behind them.
    @usableFromInline
    @inline(never)
    final func writeBehind(_ first: UnsafeMutablePointer<cuv_write_block>) throws(UVError) {
        if unsafe first.pointee.count == 0, unsafe first.pointee.next == nil, unsafe first.pointee.role == .only {
            return unsafe UVWriteBuffer.giveBack(first)
        }
        try unsafe GatheredWrites.write(first, on: stream, of: loop)
    }
}
