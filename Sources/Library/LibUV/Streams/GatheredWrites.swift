public import CLibUV

// Writes behind a write that the kernel has not taken whole.
//
// libuv 1.44 sends one queued write in each round of the loop. Here, what is written while another write waits
// is gathered in a chain of blocks, and given to libuv as one vectored write when the one before has completed.
// The chain also goes to libuv before a shutdown or a close, so that libuv alone orders and completes all.

/// A chain of blocks that waits behind a stream's write.
@usableFromInline
@safe
struct GatheredWrites {
    let first: UnsafeMutablePointer<cuv_write_block>
    var last: UnsafeMutablePointer<cuv_write_block>
    var byteCount: Int

    /// How many bytes wait in a stream's chain.
    @usableFromInline
    static func byteCount(_ stream: UnsafeMutablePointer<uv_stream_t>) -> Int {
        let loop = unsafe Trampolines.owner(of: cuv_handle_of_stream(stream)).takeUnretainedValue()
        guard let chain = unsafe loop.state.pointee.gathered[stream] else { return 0 }
        return chain.byteCount
    }

    /// Writes a chain of blocks, or gathers it where a write is waiting.
    static func write(
        _ first: UnsafeMutablePointer<cuv_write_block>, on stream: UnsafeMutablePointer<uv_stream_t>, of loop: UVLoop
    ) throws(UVError) {
        let isWaiting = unsafe uv_stream_get_write_queue_size(stream) != 0 || loop.state.pointee.gathered[stream] != nil
        // A stream that cannot be written answers at once, not later.
        if isWaiting, unsafe uv_is_writable(stream) != 0, unsafe uv_is_closing(cuv_handle_of_stream(stream)) == 0 {
            guard unsafe UVTTY.isBlocking(stream) else { return unsafe gather(first, on: stream, of: loop) }
            // Such a terminal has written all or has failed: libuv would end the process for a write behind that.
            unsafe WriteChain.drop(first)
            throw UVError(.brokenPipe, operation: "uv_write")
        }
        let status = unsafe WriteChain.submit(first, on: stream)
        guard status < 0 else { return unsafe WriteChain.countInFlight(first, on: stream, of: loop) }
        unsafe WriteChain.drop(first)
        throw UVError(code: status, operation: "uv_write")
    }

    /// Writes a chain of blocks and sends a handle with it, behind all that is waiting.
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
            // libuv will know the request of the chain's first block: it must not look like a single one.
            if unsafe chain.first.pointee.role == .only { unsafe chain.first.pointee.role = .first }
            unsafe loop.state.pointee.gathered[stream] = GatheredWrites(
                first: chain.first, last: last, byteCount: chain.byteCount + byteCount)
        } else {
            unsafe loop.state.pointee.gathered[stream] = GatheredWrites(first: first, last: last, byteCount: byteCount)
            unsafe loop.cell.pointee.gathering_streams += 1
        }
    }

    /// Gives a stream's chain to libuv.
    ///
    /// - Returns: the chain with its status, where libuv refused it: it is the caller's to complete.
    private static func submit(
        _ stream: UnsafeMutablePointer<uv_stream_t>, of loop: UVLoop
    ) -> (first: UnsafeMutablePointer<cuv_write_block>, status: Int32)? {
        guard unsafe loop.cell.pointee.gathering_streams != 0,
            let chain = unsafe loop.state.pointee.gathered.removeValue(forKey: stream)
        else { return nil }
        unsafe loop.cell.pointee.gathering_streams -= 1
        let status = unsafe WriteChain.submit(chain.first, on: stream)
        return status < 0 ? unsafe (chain.first, status) : nil
    }

    /// Gives a stream's chain to libuv ahead of a shutdown or a close.
    static func flush(_ stream: UnsafeMutablePointer<uv_stream_t>, of loop: UVLoop) {
        guard let refused = unsafe submit(stream, of: loop) else { return }
        unsafe WriteChain.complete(refused.first, refused.status, on: stream, of: loop)
    }

    /// A write has completed: what waits behind it goes to libuv, and the write's buffers go back.
    static func completed(
        _ first: UnsafeMutablePointer<cuv_write_block>, _ status: Int32, on stream: UnsafeMutablePointer<uv_stream_t>
    ) {
        let loop = unsafe Trampolines.owner(of: cuv_handle_of_stream(stream)).takeUnretainedValue()
        let refused = unsafe stream.pointee.write_queue_size == 0 ? submit(stream, of: loop) : nil
        unsafe WriteChain.complete(first, status, on: stream, of: loop)
        if let refused = unsafe refused {
            unsafe WriteChain.complete(refused.first, refused.status, on: stream, of: loop)
        }
    }
}
