public import CLibUV

/// A buffer for one write, from the pool of a loop.
///
/// There is one owner at any time, and the compiler checks it: the pool lends the buffer to the caller, the
/// caller fills it and moves it into a stream's `write`, which gives it back to the pool once libuv has called
/// back. A buffer that is dropped unwritten goes back to the pool at once.
///
/// A buffer belongs to its loop's thread. One that outlives the close of its loop stays valid; its memory is
/// freed when it is dropped.
@frozen
@safe
public struct UVWriteBuffer: ~Copyable {
    @usableFromInline let block: UnsafeMutablePointer<cuv_write_block>

    @inlinable
    @inline(__always)
    init(block: UnsafeMutablePointer<cuv_write_block>) { unsafe self.block = unsafe block }

    @inlinable
    @inline(__always)
    deinit { unsafe UVWriteBuffer.giveBack(block) }

    /// How many bytes the buffer holds.
    @inlinable public var count: Int { unsafe block.pointee.count }

    /// How many bytes the buffer has room for, the ones that it holds included.
    @inlinable public var capacity: Int { unsafe block.pointee.capacity &- block.pointee.start }

    /// Whether the buffer holds no byte.
    @inlinable public var isEmpty: Bool { count == 0 }

    /// Calls `body` with the bytes that the buffer holds.
    @inlinable
    @inline(__always)
    public borrowing func withBytes<Failure: Error, Outcome: ~Copyable>(
        _ body: (Span<UInt8>) throws(Failure) -> Outcome
    ) throws(Failure) -> Outcome {
        // The `count` bytes from `start` on are initialised, and live as long as the block.
        try body(unsafe Span(_unsafeStart: UnsafePointer(bytes), count: block.pointee.count))
    }

    /// Appends bytes to what the buffer holds, through an `OutputSpan` over its whole capacity.
    ///
    /// - Parameter body: appends; the span is initialised as far as the buffer is filled.
    /// - Returns: what `body` returned.
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

    /// Appends bytes by copying them, as many as there is room for.
    ///
    /// - Returns: how many bytes were appended.
    @discardableResult
    public mutating func append(copying source: Span<UInt8>) -> Int {
        let appended = Swift.min(source.count, capacity - count)
        unsafe source.withUnsafeBufferPointer { source in
            // `appended` bytes are in the source, and free in the block behind those that it holds.
            guard appended > 0, let base = source.baseAddress else { return }
            unsafe (bytes + count).update(from: base, count: appended)
        }
        unsafe block.pointee.count &+= appended
        return appended
    }

    /// Forgets the first bytes, which have been written: at most as many as the buffer holds.
    @inlinable
    public mutating func removeFirst(_ byteCount: Int) {
        let removed = Swift.max(0, Swift.min(byteCount, count))
        unsafe block.pointee.start &+= removed
        unsafe block.pointee.count &-= removed
    }

    @inlinable
    @inline(__always)
    var bytes: UnsafeMutablePointer<UInt8> { unsafe cuv_block_bytes(block) + block.pointee.start }

    /// The block, which the caller now owns.
    @inlinable
    @inline(__always)
    consuming func takeBlock() -> UnsafeMutablePointer<cuv_write_block> {
        let block = unsafe self.block
        discard self
        return unsafe block
    }

    @inlinable
    @inline(__always)
    static func giveBack(_ block: UnsafeMutablePointer<cuv_write_block>) {
        // A block's pool lives as long as the loop object, which a block keeps alive after the loop's close.
        unsafe block.pointee.pool.assumingMemoryBound(to: BufferPool.self).pointee.giveBack(block)
    }
}
