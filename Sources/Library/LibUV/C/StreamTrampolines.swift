public import CLibUV

// The callbacks of a stream: the hot path. A stream's closure lies right before its handle.

extension Trampolines {
    @inline(__always)
    static func callbacks(of stream: UnsafeMutablePointer<uv_stream_t>) -> UnsafeMutablePointer<StreamCallbacks> {
        unsafe (UnsafeMutableRawPointer(stream) - MemoryLayout<StreamCallbacks>.stride)
            .assumingMemoryBound(to: StreamCallbacks.self)
    }

    /// Whether the closure's place is filled: its first word is the address of a function.
    @inline(__always)
    static func hasCallbacks(_ stream: UnsafeMutablePointer<uv_stream_t>) -> Bool {
        unsafe UnsafeMutableRawPointer(callbacks(of: stream)).load(as: UInt.self) != 0
    }

    /// Gives an event to a stream's closure.
    ///
    /// The object is alive throughout: the open handle holds a reference on it until its close callback.
    @inline(__always)
    static func emit(_ event: borrowing UVStreamEvent, on stream: UnsafeMutablePointer<uv_stream_t>) {
        unsafe withStream(stream) { object in unsafe callbacks(of: stream).pointee.call(object, event) }
    }

    static let onLendOwn: @convention(c) (UnsafeMutablePointer<uv_stream_t>, UnsafeMutablePointer<uv_buf_t>) -> Void = {
        stream, buffer in
        unsafe withStream(stream) { object in
            let memory = unsafe object.lentMemory()
            unsafe buffer.pointee = uv_buf_init(
                UnsafeMutableRawPointer(memory?.baseAddress)?.assumingMemoryBound(to: CChar.self),
                UInt32(clamping: memory?.count ?? 0))
        }
    }

    static let onRead: uv_read_cb = { stream, count, buffer in
        // libuv calls with a stream always, and with the buffer that it has filled where there are bytes.
        let stream = unsafe stream.unsafelyUnwrapped
        guard count > 0 else { return unsafe endedRead(stream, count) }
        let base = unsafe buffer.unsafelyUnwrapped.pointee.base.unsafelyUnwrapped
        unsafe cuv_loop_of_stream(stream).pointee.bytes_read &+= UInt64(truncatingIfNeeded: count)
        // libuv has filled `count` bytes of the loop's read buffer, which outlives this call; the event does not.
        let bytes = unsafe Span<UInt8>(
            _unsafeStart: UnsafeRawPointer(base).assumingMemoryBound(to: UInt8.self), count: count)
        unsafe emit(.bytes(bytes), on: stream)
    }

    /// A read without bytes: nothing to read, no buffer lent, the end, or an error.
    private static func endedRead(_ stream: UnsafeMutablePointer<uv_stream_t>, _ count: Int) {
        if count == 0 || count == Int(UV_ENOBUFS.rawValue) { return }
        // After the end or an error nothing more is read, whatever the platform.
        unsafe uv_read_stop(stream)
        if unsafe uv_is_closing(cuv_handle_of_stream(stream)) != 0 { return }
        if count == Int(UV_EOF.rawValue) { return unsafe emit(.end, on: stream) }
        unsafe emit(.failed(UVError(code: Int32(truncatingIfNeeded: count), operation: "uv_read")), on: stream)
    }

    @usableFromInline
    static let onWrite: uv_write_cb = { request, status in
        // libuv calls with the request that it was given, whose stream it has set.
        let request = unsafe request.unsafelyUnwrapped
        let stream = unsafe request.pointee.handle.unsafelyUnwrapped
        let block = unsafe cuv_block_of_request(request)
        let loop = unsafe cuv_loop_of_stream(stream)
        if unsafe loop.pointee.gathering_streams != 0 || block.pointee.role != .only || status < 0 {
            return unsafe GatheredWrites.completed(block, status, on: stream)
        }
        if unsafe block.pointee.size_class >= BufferPool.largeClass {
            unsafe cuv_burst_completed(stream, block.pointee.count)
        }
        let pool = unsafe loop.pointee.pool.assumingMemoryBound(to: BufferPool.self)
        unsafe pool.pointee.inFlight &-= 1
        unsafe pool.pointee.giveBack(block)
        if unsafe UInt(bitPattern: stream.pointee.data) & reportsWrites != 0 { unsafe emit(.written, on: stream) }
    }
}
