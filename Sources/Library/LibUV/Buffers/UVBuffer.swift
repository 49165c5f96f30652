public import CLibUV

// @unchecked Sendable: a buffer has one owner, and its release checks the thread.
/// A growable array of bytes for reading and writing, whose memory comes from a loop's pool.
///
/// A buffer has one owner at any time, which the compiler checks. The program gets the buffer from the pool, or from a
/// read. It fills the buffer, and moves it into a stream's `write`. The write returns the buffer to the pool when libuv
/// calls the write callback. A buffer that is released without being written returns to the pool immediately.
///
/// A buffer may be passed to other threads, and may be read, filled and released there. A buffer that is released on
/// another thread returns to the pool without a lock. A buffer that still exists when its loop closes stays valid, and
/// its memory is freed when the buffer is released.
@frozen
@safe
public struct UVBuffer: ~Copyable, @unchecked Sendable {
    @usableFromInline let block: UnsafeMutablePointer<cuv_write_block>

    @inlinable
    @inline(__always)
    init(block: UnsafeMutablePointer<cuv_write_block>) { unsafe self.block = unsafe block }

    @inlinable
    @inline(__always)
    deinit { unsafe UVBuffer.drop(block) }

    /// The number of bytes in the buffer.
    @inlinable public var count: Int { unsafe block.pointee.count }

    /// The number of bytes that the buffer can hold before it must grow.
    @inlinable public var capacity: Int { unsafe block.pointee.capacity &- block.pointee.start }

    /// Whether the buffer contains no bytes.
    @inlinable public var isEmpty: Bool { count == 0 }

    /// Calls `body` with the bytes in the buffer.
    @inlinable
    @inline(__always)
    public borrowing func withBytes<Failure: Error, Outcome: ~Copyable>(
        _ body: (Span<UInt8>) throws(Failure) -> Outcome
    ) throws(Failure) -> Outcome {
        // The `count` bytes that begin at `start` are initialised, and exist as long as the block.
        try body(unsafe Span(_unsafeStart: UnsafePointer(bytes), count: block.pointee.count))
    }

    /// Appends bytes to the buffer through an `OutputSpan`, which covers the buffer's whole capacity.
    ///
    /// The buffer does not grow.
    ///
    /// - Parameter body: appends bytes to the span. The bytes that are already in the buffer are the initialised part
    ///   of the span.
    /// - Returns: the value that `body` returns.
    @inlinable
    @inline(__always)
    public mutating func withOutputSpan<Failure: Error, Outcome: ~Copyable>(
        _ body: (inout OutputSpan<UInt8>) throws(Failure) -> Outcome
    ) throws(Failure) -> Outcome {
        let storage = unsafe UnsafeMutableBufferPointer(start: bytes, count: capacity)
        var output = unsafe OutputSpan(buffer: storage, initializedCount: block.pointee.count)
        let outcome: Outcome
        do throws(Failure) { outcome = try body(&output) } catch {
            unsafe block.pointee.count = output.finalize(for: storage)
            throw error
        }
        unsafe block.pointee.count = output.finalize(for: storage)
        return outcome
    }

    /// Copies bytes to the end of the buffer, which grows if it has no room for them.
    ///
    /// A buffer that grows takes a larger block from the pool of its loop, and moves its bytes there. Its capacity at
    /// least doubles, so appending many pieces has a linear cost. If bytes have been removed from the front, the buffer
    /// first uses the room there. If a peer determines the number of bytes, use `append(copying:growingTo:)`.
    public mutating func append(copying source: Span<UInt8>) {
        if source.count > capacity - count { grow(toHold: count + source.count, limit: .max) }
        _ = appendFitting(source)
    }

    /// Copies as many bytes to the end of the buffer as it has room for.
    ///
    /// - Returns: the number of bytes that were appended.
    mutating func appendFitting(_ source: Span<UInt8>) -> Int {
        let appended = Swift.min(source.count, capacity - count)
        unsafe source.withUnsafeBufferPointer { source in
            // The source has at least `appended` bytes, and the block has room for them after the bytes in the buffer.
            guard appended > 0, let base = source.baseAddress else { return }
            unsafe (bytes + count).update(from: base, count: appended)
        }
        unsafe block.pointee.count &+= appended
        return appended
    }

    /// Removes up to `byteCount` bytes from the front.
    @inlinable
    public mutating func removeFirst(_ byteCount: Int) {
        let removed = Swift.max(0, Swift.min(byteCount, count))
        unsafe block.pointee.start &+= removed
        unsafe block.pointee.count &-= removed
    }

    @inlinable
    @inline(__always)
    var bytes: UnsafeMutablePointer<UInt8> { unsafe cuv_block_bytes(block) + block.pointee.start }

    /// Returns a block to its pool, on any thread.
    @inlinable
    @inline(__always)
    static func drop(_ block: UnsafeMutablePointer<cuv_write_block>) {
        let pool = unsafe block.pointee.pool.assumingMemoryBound(to: BufferPool.self)
        guard unsafe cuv_returned_belongs_here(pool.pointee.returned) != 0 else {
            return unsafe BufferPool.giveBackElsewhere(block)
        }
        unsafe pool.pointee.giveBack(block)
    }

    /// Returns a block to its pool, on the thread to which the pool belongs.
    @inlinable
    @inline(__always)
    static func giveBack(_ block: UnsafeMutablePointer<cuv_write_block>) {
        // The pool of a block exists as long as the loop object, and a block keeps the loop object alive after the loop
        // has closed.
        unsafe block.pointee.pool.assumingMemoryBound(to: BufferPool.self).pointee.giveBack(block)
    }
}
