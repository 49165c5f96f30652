/// Memory of a fixed size that is filled anew again and again, such as the one read buffer of a server.
@frozen
@safe
public struct ReusableBuffer: ~Copyable {
    @usableFromInline let storage: UnsafeMutableBufferPointer<UInt8>
    @usableFromInline var filled: Int

    /// How many bytes the last filling left.
    @inlinable public var count: Int { filled }

    /// How many bytes there is room for.
    @inlinable public var capacity: Int { unsafe storage.count }

    /// Makes an empty buffer with room for at least one byte.
    public init(capacity: Int) {
        unsafe storage = .allocate(capacity: max(1, capacity))
        filled = 0
    }

    deinit { unsafe storage.deallocate() }

    /// Fills the buffer from its beginning, with at most `limit` bytes; what it held is gone.
    @inlinable
    @inline(__always)
    public mutating func fill<Failure: Error, Outcome: ~Copyable>(
        limit: Int = .max, _ body: (inout OutputSpan<UInt8>) throws(Failure) -> Outcome
    ) throws(Failure) -> Outcome {
        // The part of the storage that may be filled; the output keeps to it.
        let room = unsafe UnsafeMutableBufferPointer(
            start: storage.baseAddress, count: Swift.max(0, Swift.min(limit, storage.count)))
        var output = unsafe OutputSpan(buffer: room, initializedCount: 0)
        let outcome: Outcome
        do throws(Failure) { outcome = try body(&output) } catch {
            filled = unsafe output.finalize(for: room)
            throw error
        }
        filled = unsafe output.finalize(for: room)
        return outcome
    }

    /// Forgets what the last filling left.
    public mutating func removeAll() { filled = 0 }

    /// Drops the first bytes of what the last filling left; the rest is moved to the beginning.
    public mutating func removeFirst(_ count: Int) {
        let dropped = Swift.max(0, Swift.min(count, filled))
        // Both ranges lie in the storage, and may overlap.
        if dropped > 0, let base = unsafe storage.baseAddress {
            unsafe base.update(from: base + dropped, count: filled - dropped)
        }
        filled -= dropped
    }

    /// Calls `body` with the bytes that the last filling left.
    @inlinable
    @inline(__always)
    public borrowing func withBytes<Failure: Error, Outcome: ~Copyable>(
        _ body: (Span<UInt8>) throws(Failure) -> Outcome
    ) throws(Failure) -> Outcome {
        // The first `count` bytes were initialised by the last filling.
        try body(unsafe Span(_unsafeStart: UnsafePointer(storage.baseAddress.unsafelyUnwrapped), count: filled))
    }
}
