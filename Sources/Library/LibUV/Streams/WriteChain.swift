internal import CLibUV

/// The completion of a write, which is stored in the first block of the write.
struct WriteCompletion: ~Copyable {
    let body: (Result<Void, UVError>) -> Void

    static func attach(
        _ body: @escaping (Result<Void, UVError>) -> Void, to block: UnsafeMutablePointer<cuv_write_block>
    ) {
        unsafe place(block).initialize(to: WriteCompletion(body: body))
        unsafe block.pointee.role = .firstWithCompletion
    }

    /// Removes the completion from a block, and returns it.
    static func detach(
        from block: UnsafeMutablePointer<cuv_write_block>
    ) -> ((Result<Void, UVError>) -> Void)? {
        let role = unsafe block.pointee.role
        unsafe block.pointee.role = .only
        guard role == .firstWithCompletion else { return nil }
        return unsafe place(block).move().body
    }

    private static func place(
        _ block: UnsafeMutablePointer<cuv_write_block>
    ) -> UnsafeMutablePointer<WriteCompletion> {
        // The header has room for a closure, which occupies two words.
        unsafe cuv_block_completion(block).assumingMemoryBound(to: WriteCompletion.self)
    }
}

/// Functions for a chain of blocks that are written together.
///
/// The blocks are linked by `next`. libuv uses the request of the first block.
enum WriteChain {
    typealias Block = UnsafeMutablePointer<cuv_write_block>

    static func byteCount(_ first: Block) -> Int {
        unsafe reduce(first, into: 0) { sum, block in unsafe sum += block.pointee.count }
    }

    static func blockCount(_ first: Block) -> Int { unsafe reduce(first, into: 0) { sum, _ in sum += 1 } }

    static func last(_ first: Block) -> Block {
        var block = unsafe first
        while let next = unsafe block.pointee.next { unsafe block = next }
        return unsafe block
    }

    private static func reduce<Value>(_ first: Block, into value: Value, _ body: (inout Value, Block) -> Void) -> Value
    {
        var value = value
        var block: Block? = unsafe first
        while let current = unsafe block {
            unsafe body(&value, current)
            unsafe block = current.pointee.next
        }
        return value
    }

    /// Passes a chain to libuv as one write.
    ///
    /// libuv copies the list of buffers, but not the bytes.
    static func submit(
        _ first: Block, sending handle: UnsafeMutablePointer<uv_stream_t>? = nil,
        on stream: UnsafeMutablePointer<uv_stream_t>
    ) -> Int32 {
        if unsafe first.pointee.next == nil, unsafe handle == nil {
            return unsafe cuv_write_one(first, stream, Trampolines.onWrite)
        }
        return unsafe withBuffers(of: first) { buffers, count in
            unsafe uv_write2(cuv_block_request(first), stream, buffers, count, handle, Trampolines.onWrite)
        }
    }

    /// Calls `body` with a list of libuv buffers for the bytes of a chain.
    ///
    /// The list is valid during the call. It contains no empty buffers, unless the whole chain is empty, because libuv
    /// 1.45 to 1.52 does not complete a write whose last buffer is empty, and aborts the process if it cannot poll the
    /// descriptor of such a write. The blocks of empty buffers stay in the chain, which completes as a whole.
    static func withBuffers(
        of first: Block, _ body: (UnsafeMutablePointer<uv_buf_t>?, UInt32) -> Int32
    ) -> Int32 {
        let count = unsafe blockCount(first)
        return unsafe withUnsafeTemporaryAllocation(of: uv_buf_t.self, capacity: count) { buffers in
            var used = 0
            var block: Block? = unsafe first
            while let current = unsafe block {
                unsafe block = current.pointee.next
                let byteCount = unsafe current.pointee.count
                if byteCount == 0, unsafe used > 0 || block != nil { continue }
                let bytes = unsafe UnsafeMutableRawPointer(cuv_block_bytes(current) + current.pointee.start)
                unsafe buffers.initializeElement(
                    at: used, to: uv_buf_init(bytes.assumingMemoryBound(to: CChar.self), UInt32(byteCount)))
                used += 1
            }
            return unsafe body(buffers.baseAddress, UInt32(used))
        }
    }

    /// Counts the blocks of a chain as in flight, after libuv has accepted the chain or the library has gathered it.
    static func countInFlight(_ first: Block, on stream: UnsafeMutablePointer<uv_stream_t>, of loop: UVLoop) {
        unsafe loop.cell.pointee.bytes_written += UInt64(byteCount(first))
        unsafe loop.pool.pointee.inFlight += blockCount(first)
        var block: Block? = unsafe first
        while let current = unsafe block {
            if unsafe current.pointee.size_class >= BufferPool.largeClass {
                unsafe cuv_burst_wrote(stream, current.pointee.count)
            }
            unsafe block = current.pointee.next
        }
    }

    /// Returns the blocks of a rejected chain to the pool, without calling completions.
    static func drop(_ first: Block) {
        var block: Block? = unsafe first
        while let current = unsafe block {
            unsafe block = current.pointee.next
            _ = unsafe WriteCompletion.detach(from: current)
            unsafe UVBuffer.giveBack(current)
        }
    }

    /// Returns the blocks of a chain to the pool, and reports the result of its writes.
    ///
    /// For each write that has a completion, the completion receives the result. All writes without a completion share
    /// one event.
    static func complete(
        _ first: Block, _ status: Int32, on stream: UnsafeMutablePointer<uv_stream_t>, of loop: UVLoop
    ) {
        let result: Result<Void, UVError> =
            status < 0 ? .failure(UVError(code: status, operation: "uv_write")) : .success(())
        var block: Block? = unsafe first
        var isReported = false
        while let current = unsafe block {
            unsafe block = current.pointee.next
            if unsafe current.pointee.size_class >= BufferPool.largeClass {
                unsafe cuv_burst_completed(stream, current.pointee.count)
            }
            let isFurther = unsafe current.pointee.role == .further
            let completion = unsafe WriteCompletion.detach(from: current)
            unsafe loop.pool.pointee.inFlight -= 1
            unsafe UVBuffer.giveBack(current)
            if let completion {
                completion(result)
            } else if !isReported, !isFurther {
                isReported = true
                unsafe report(result, on: stream)
            }
        }
    }

    private static func report(_ result: Result<Void, UVError>, on stream: UnsafeMutablePointer<uv_stream_t>) {
        guard unsafe Trampolines.hasCallbacks(stream), unsafe uv_is_closing(cuv_handle_of_stream(stream)) == 0
        else { return }
        switch result {
        case .success:
            guard unsafe UInt(bitPattern: stream.pointee.data) & Trampolines.reportsWrites != 0 else { return }
            unsafe Trampolines.emit(.written, on: stream)
        case .failure(let error): unsafe Trampolines.emit(.failed(error), on: stream)
        }
    }
}
