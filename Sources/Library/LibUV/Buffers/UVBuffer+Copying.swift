internal import CLibUV

// Copies between buffers and other memory.

extension UVBuffer {
    /// Appends a copy of the buffer's bytes to an array.
    public borrowing func append(to array: inout [UInt8]) {
        withBytes { bytes in unsafe bytes.withUnsafeBufferPointer { unsafe array.append(contentsOf: $0) } }
    }

    /// Copies bytes to the end of the buffer, which grows up to a byte limit if it has no room for them.
    ///
    /// The buffer grows as in `append(copying:)`.
    ///
    /// - Parameters:
    ///   - source: the bytes to append.
    ///   - limit: the largest number of bytes that the buffer may contain afterwards.
    /// - Returns: the number of bytes that were appended. It is less than `source.count` only if the buffer has reached
    ///   the limit.
    public mutating func append(copying source: Span<UInt8>, growingTo limit: Int) -> Int {
        let appended = Swift.min(source.count, Swift.max(0, limit - count))
        if appended > capacity - count { grow(toHold: count + appended, limit: limit) }
        return appendFitting(source.extracting(0..<appended))
    }

    /// Makes room for `needed` bytes in total.
    ///
    /// If the block is large enough, and at least as many bytes have been removed from its front as it now contains,
    /// the bytes move to the beginning of the block. Otherwise they move to a larger block.
    mutating func grow(toHold needed: Int, limit: Int) {
        if unsafe needed <= block.pointee.capacity, unsafe count <= block.pointee.start {
            unsafe cuv_block_bytes(block).update(from: bytes, count: count)
            unsafe block.pointee.start = 0
            return
        }
        // The pool of a block exists as long as the block. The pool's owner exists until the pool is abandoned.
        let pool = unsafe block.pointee.pool.assumingMemoryBound(to: BufferPool.self)
        let (doubled, isTooLarge) = self.capacity.multipliedReportingOverflow(by: 2)
        let capacity = Swift.max(needed, isTooLarge ? needed : Swift.min(doubled, limit))
        var larger =
            unsafe pool.pointee.isAbandoned
            ? UVBuffer(block: pool.pointee.take(capacity: capacity, pool: pool))
            : pool.pointee.owner.takeUnretainedValue().makeBuffer(capacity: capacity)
        withBytes { bytes in _ = larger.appendFitting(bytes) }
        self = larger
    }
}

extension [UInt8] {
    /// Makes an array with a copy of the buffer's bytes.
    public init(copying buffer: borrowing UVBuffer) { self = buffer.withBytes { [UInt8](copying: $0) } }

    /// Makes an array with a copy of bytes, for example of bytes that a read lends.
    public init(copying bytes: Span<UInt8>) {
        self = unsafe bytes.withUnsafeBufferPointer { unsafe [UInt8]($0) }
    }
}

extension UVLoop {
    /// Returns a buffer from the loop's pool with a copy of bytes.
    public func makeBuffer(copying bytes: Span<UInt8>) -> UVBuffer {
        var buffer = makeBuffer(capacity: bytes.count)
        buffer.append(copying: bytes)
        return buffer
    }

    /// Returns a buffer from the loop's pool with a copy of an array.
    public func makeBuffer(copying bytes: [UInt8]) -> UVBuffer { makeBuffer(copying: bytes.span) }

    /// Returns a buffer from the loop's pool with a text as UTF-8.
    public func makeBuffer(copying text: String) -> UVBuffer { makeBuffer(copying: text.utf8.span) }
}

extension UVStream {
    /// Returns a buffer from the pool of the stream's loop with a copy of bytes, for example bytes that a read lends.
    public final func makeBuffer(copying bytes: Span<UInt8>) -> UVBuffer { loop.makeBuffer(copying: bytes) }

    /// Returns a buffer from the pool of the stream's loop with a copy of an array.
    public final func makeBuffer(copying bytes: [UInt8]) -> UVBuffer { loop.makeBuffer(copying: bytes.span) }

    /// Returns a buffer from the pool of the stream's loop with a text as UTF-8.
    public final func makeBuffer(copying text: String) -> UVBuffer { loop.makeBuffer(copying: text.utf8.span) }
}
