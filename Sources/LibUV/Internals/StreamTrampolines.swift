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
        guard let data = unsafe stream.pointee.data else { return }
        unsafe Unmanaged<UVStream>.fromOpaque(data)._withUnsafeGuaranteedRef { object in
            unsafe callbacks(of: stream).pointee.call(object, event)
        }
    }

    static let onRead: uv_read_cb = { stream, count, buffer in
        guard let stream = unsafe stream else { return }
        guard count > 0, let base = unsafe buffer?.pointee.base else { return unsafe endedRead(stream, count) }
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
        guard let request = unsafe request, let stream = unsafe request.pointee.handle else { return }
        let block = unsafe cuv_block_of_request(request)
        let loop = unsafe cuv_loop_of_stream(stream)
        if unsafe loop.pointee.gathering_streams != 0 || block.pointee.next != nil
            || block.pointee.role != 0 || status < 0
        {
            return unsafe GatheredWrites.completed(block, status, on: stream)
        }
        unsafe cuv_burst_completed(stream, block.pointee.count)
        let pool = unsafe block.pointee.pool.assumingMemoryBound(to: BufferPool.self)
        unsafe pool.pointee.inFlight &-= 1
        unsafe pool.pointee.giveBack(block)
        if unsafe hasCallbacks(stream), unsafe uv_is_closing(cuv_handle_of_stream(stream)) == 0 {
            unsafe emit(.written, on: stream)
        }
    }
}
