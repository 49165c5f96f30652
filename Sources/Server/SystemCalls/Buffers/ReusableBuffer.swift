/// A buffer of fixed capacity that is filled many times, for example a server's read buffer.
@frozen
@safe
public struct ReusableBuffer: ~Copyable {
    @usableFromInline let storage: UnsafeMutableBufferPointer<UInt8>
    @usableFromInline var filled: Int

    /// The number of bytes in the buffer.
    @inlinable public var count: Int { filled }

    /// The largest number of bytes that the buffer can hold.
    @inlinable public var capacity: Int { unsafe storage.count }

    /// Makes an empty buffer with a capacity of at least 1 byte.
    public init(capacity: Int) {
        unsafe storage = .allocate(capacity: max(1, capacity))
        filled = 0
    }

    deinit { unsafe storage.deallocate() }

    /// Empties the buffer, and lets `body` append at most `limit` bytes.
    @inlinable
    @inline(__always)
    public mutating func fill<Failure: Error, Outcome: ~Copyable>(
        limit: Int = .max, _ body: (inout OutputSpan<UInt8>) throws(Failure) -> Outcome
    ) throws(Failure) -> Outcome {
        // The part of the storage that `body` may fill.
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

    /// Removes bytes from the front, and moves the remaining bytes to the front.
    public mutating func removeFirst(_ count: Int) {
        let dropped = Swift.max(0, Swift.min(count, filled))
        // Both ranges lie in the storage; `update` allows them to overlap.
        if dropped > 0, let base = unsafe storage.baseAddress {
            unsafe base.update(from: base + dropped, count: filled - dropped)
        }
        filled -= dropped
    }

    /// Calls `body` with the bytes in the buffer.
    @inlinable
    @inline(__always)
    public borrowing func withBytes<Failure: Error, Outcome: ~Copyable>(
        _ body: (Span<UInt8>) throws(Failure) -> Outcome
    ) throws(Failure) -> Outcome {
        // The first `filled` bytes are initialised.
        try body(unsafe Span(_unsafeStart: UnsafePointer(storage.baseAddress.unsafelyUnwrapped), count: filled))
    }
}
