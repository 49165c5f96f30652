public import CLibUV

// The callbacks of a stream, which are the hot path. The closure of a stream is stored directly before its handle.

/// The closure that receives a stream's events.
///
/// The structure makes it possible to call the closure in place, that is, without retaining it.
@usableFromInline
struct StreamCallbacks: ~Copyable {
    @usableFromInline let onEvent: (UVStream, borrowing UVStreamEvent) -> Void

    init(_ onEvent: @escaping (UVStream, borrowing UVStreamEvent) -> Void) { self.onEvent = onEvent }

    @inlinable
    @inline(__always)
    borrowing func call(_ stream: UVStream, _ event: borrowing UVStreamEvent) { onEvent(stream, event) }
}

extension Trampolines {
    @inline(__always)
    static func callbacks(of stream: UnsafeMutablePointer<uv_stream_t>) -> UnsafeMutablePointer<StreamCallbacks> {
        unsafe (UnsafeMutableRawPointer(stream) - MemoryLayout<StreamCallbacks>.stride)
            .assumingMemoryBound(to: StreamCallbacks.self)
    }

    /// Returns whether a stream has a closure.
    ///
    /// The first word of a closure is the address of a function, and therefore not zero. Without a closure, this word
    /// is zero.
    @inline(__always)
    static func hasCallbacks(_ stream: UnsafeMutablePointer<uv_stream_t>) -> Bool {
        unsafe UnsafeMutableRawPointer(callbacks(of: stream)).load(as: UInt.self) != 0
    }

    /// Passes an event to the closure of a stream.
    ///
    /// The object stays alive during the call, because the open handle has a reference to it until the close callback.
    @inline(__always)
    static func emit(_ event: borrowing UVStreamEvent, on stream: UnsafeMutablePointer<uv_stream_t>) {
        unsafe withStream(stream) { object in unsafe callbacks(of: stream).pointee.call(object, event) }
    }

    /// Calls `body` with the object of a stream, without retaining it, because the open handle keeps the object alive.
    @inline(__always)
    static func withStream(_ stream: UnsafeMutablePointer<uv_stream_t>, _ body: (UVStream) -> Void) {
        let address = unsafe UInt(bitPattern: stream.pointee.data) & ~flags
        // libuv calls back only for a stream that has not closed, so `data` still contains the reference to its object.
        let object = unsafe UnsafeRawPointer(bitPattern: address).unsafelyUnwrapped
        unsafe Unmanaged<UVStream>.fromOpaque(object)._withUnsafeGuaranteedRef { body($0) }
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
        // libuv always passes a stream. If it has read bytes, it also passes the buffer that it has filled.
        let stream = unsafe stream.unsafelyUnwrapped
        guard count > 0 else { return unsafe endedRead(stream, count, hasBuffer: buffer?.pointee.base != nil) }
        let base = unsafe buffer.unsafelyUnwrapped.pointee.base.unsafelyUnwrapped
        unsafe cuv_loop_of_stream(stream).pointee.bytes_read &+= UInt64(truncatingIfNeeded: count)
        // libuv has filled `count` bytes of the lent buffer. The event ends before this call returns, and the buffer
        // exists longer, so the span stays valid.
        let bytes = unsafe Span<UInt8>(
            _unsafeStart: UnsafeRawPointer(base).assumingMemoryBound(to: UInt8.self), count: count)
        unsafe emit(.bytes(bytes), on: stream)
    }

    /// Handles a read without bytes.
    ///
    /// Either there was nothing to read, no buffer was lent, the stream has ended, or the read has failed.
    ///
    /// libuv reports UV_ENOBUFS if no buffer was lent. The kernel can report the same error for a read into a buffer.
    /// In that case, the read has failed.
    private static func endedRead(_ stream: UnsafeMutablePointer<uv_stream_t>, _ count: Int, hasBuffer: Bool) {
        if count == 0 || (count == Int(UV_ENOBUFS.rawValue) && !hasBuffer) { return }
        // Stop reading after the end of the stream or an error, because libuv does not do so on every platform.
        unsafe uv_read_stop(stream)
        if unsafe uv_is_closing(cuv_handle_of_stream(stream)) != 0 { return }
        if unsafe count == Int(UV_EOF.rawValue) || UVTTY.isEnd(count, of: stream) {
            return unsafe emit(.end, on: stream)
        }
        unsafe emit(.failed(UVError(code: Int32(truncatingIfNeeded: count), operation: "uv_read_start")), on: stream)
    }

    @usableFromInline
    static let onWrite: uv_write_cb = { request, status in
        // libuv always passes the request that it was given, and has set the request's stream.
        let request = unsafe request.unsafelyUnwrapped
        let stream = unsafe request.pointee.handle.unsafelyUnwrapped
        let block = unsafe cuv_block_of_request(request)
        let loop = unsafe cuv_loop_of_stream(stream)
        // Separate conditions need fewer instructions than one condition with three parts.
        let seldom = gathersWrites | hasWaterMarks
        if unsafe UInt(bitPattern: stream.pointee.data) & seldom != 0 {
            return unsafe GatheredWrites.completed(block, status, on: stream)
        }
        // The rest of this function is for a successful write of a single block. The role `only` and the status of
        // success are both 0, so one comparison checks both.
        if unsafe block.pointee.role.rawValue | UInt32(bitPattern: status) != 0 {
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
