public import CLibUV

// Gathers the writes of a stream that are queued behind a partial write.
//
// libuv 1.44 sends only one queued write in each iteration of the loop. Therefore, while a write is pending, the
// library gathers the buffers of later writes in a chain of blocks. When the pending write has completed, the library
// passes the chain to libuv as one vectored write. It also passes the chain to libuv before a shutdown or a close, so
// that libuv orders and completes all writes.

/// A chain of blocks that is queued behind a pending write of a stream.
@usableFromInline
@safe
struct GatheredWrites {
    let first: UnsafeMutablePointer<cuv_write_block>
    var last: UnsafeMutablePointer<cuv_write_block>
    var byteCount: Int

    /// Returns the number of bytes in a stream's chain.
    @usableFromInline
    static func byteCount(_ stream: UnsafeMutablePointer<uv_stream_t>) -> Int {
        let loop = unsafe Trampolines.owner(of: cuv_handle_of_stream(stream)).takeUnretainedValue()
        guard let chain = unsafe loop.state.pointee.gathered[stream] else { return 0 }
        return chain.byteCount
    }

    /// Writes a chain of blocks, or gathers it if a write is pending.
    static func write(
        _ first: UnsafeMutablePointer<cuv_write_block>, on stream: UnsafeMutablePointer<uv_stream_t>, of loop: UVLoop
    ) throws(UVError) {
        let isWaiting =
            unsafe stream.pointee.write_queue_size != 0
            || UInt(bitPattern: stream.pointee.data) & Trampolines.gathersWrites != 0
        // If the stream is not writable, the call below fails immediately. Gathering would report the error only later.
        if isWaiting, unsafe uv_is_writable(stream) != 0, unsafe uv_is_closing(cuv_handle_of_stream(stream)) == 0 {
            guard unsafe UVTTY.isBlocking(stream) else { return unsafe gather(first, on: stream, of: loop) }
            // A write to a blocking terminal either sends all bytes immediately or fails. If bytes are queued, a write
            // has failed, and libuv would abort the process on the next write.
            unsafe WriteChain.drop(first)
            throw UVError(.brokenPipe, operation: "uv_write")
        }
        let status = unsafe WriteChain.submit(first, on: stream)
        guard status < 0 else { return unsafe WriteChain.countInFlight(first, on: stream, of: loop) }
        unsafe WriteChain.drop(first)
        throw UVError(code: status, operation: "uv_write")
    }

    /// Writes a chain of blocks with a handle, after all queued writes.
    static func write(
        _ first: UnsafeMutablePointer<cuv_write_block>, sending handle: UnsafeMutablePointer<uv_stream_t>,
        on stream: UnsafeMutablePointer<uv_stream_t>, of loop: UVLoop
    ) throws(UVError) {
        unsafe flush(stream, of: loop)
        let status = unsafe WriteChain.submit(first, sending: handle, on: stream)
        guard status < 0 else { return unsafe WriteChain.countInFlight(first, on: stream, of: loop) }
        unsafe WriteChain.drop(first)
        throw UVError(code: status, operation: "uv_write2")
    }

    private static func gather(
        _ first: UnsafeMutablePointer<cuv_write_block>, on stream: UnsafeMutablePointer<uv_stream_t>, of loop: UVLoop
    ) {
        let byteCount = unsafe WriteChain.byteCount(first)
        let last = unsafe WriteChain.last(first)
        unsafe WriteChain.countInFlight(first, on: stream, of: loop)
        if let chain = unsafe loop.state.pointee.gathered[stream] {
            unsafe chain.last.pointee.next = first
            // libuv uses the request of the chain's first block. This block must not have the role `only`, because the
            // write callback would then complete this block alone.
            if unsafe chain.first.pointee.role == .only { unsafe chain.first.pointee.role = .first }
            unsafe loop.state.pointee.gathered[stream] = GatheredWrites(
                first: chain.first, last: last, byteCount: chain.byteCount + byteCount)
        } else {
            unsafe loop.state.pointee.gathered[stream] = GatheredWrites(first: first, last: last, byteCount: byteCount)
            // The flag is in the `data` of this stream, so the writes of other streams stay on the fast path.
            unsafe Trampolines.setFlag(Trampolines.gathersWrites, true, of: stream)
        }
    }

    /// Passes a stream's chain to libuv.
    ///
    /// - Returns: if libuv has rejected the chain, the chain and the error code, with which the caller must complete
    ///   the chain; otherwise `nil`.
    private static func submit(
        _ stream: UnsafeMutablePointer<uv_stream_t>, of loop: UVLoop
    ) -> (first: UnsafeMutablePointer<cuv_write_block>, status: Int32)? {
        guard unsafe UInt(bitPattern: stream.pointee.data) & Trampolines.gathersWrites != 0,
            let chain = unsafe loop.state.pointee.gathered.removeValue(forKey: stream)
        else { return nil }
        unsafe Trampolines.setFlag(Trampolines.gathersWrites, false, of: stream)
        let status = unsafe WriteChain.submit(chain.first, on: stream)
        return status < 0 ? unsafe (chain.first, status) : nil
    }

    /// Passes a stream's chain to libuv before a shutdown or a close.
    static func flush(_ stream: UnsafeMutablePointer<uv_stream_t>, of loop: UVLoop) {
        guard let refused = unsafe submit(stream, of: loop) else { return }
        unsafe WriteChain.complete(refused.first, refused.status, on: stream, of: loop)
    }

    /// Handles the completion of a write: passes the chain behind the write to libuv, and returns the write's buffers
    /// to the pool.
    static func completed(
        _ first: UnsafeMutablePointer<cuv_write_block>, _ status: Int32, on stream: UnsafeMutablePointer<uv_stream_t>
    ) {
        let loop = unsafe Trampolines.owner(of: cuv_handle_of_stream(stream)).takeUnretainedValue()
        let refused = unsafe stream.pointee.write_queue_size == 0 ? submit(stream, of: loop) : nil
        unsafe WriteChain.complete(first, status, on: stream, of: loop)
        if let refused = unsafe refused {
            unsafe WriteChain.complete(refused.first, refused.status, on: stream, of: loop)
        }
        if status >= 0, unsafe UInt(bitPattern: stream.pointee.data) & Trampolines.hasWaterMarks != 0 {
            unsafe WaterLevel.fall(stream, of: loop)
        }
    }
}
