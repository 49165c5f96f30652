internal import Glibc

/// A first-in, first-out queue of bytes that wait to be sent.
///
/// A queue is not thread-safe. A connection makes its queue when it first has bytes to queue.
@safe
public final class ByteQueue {
    private var memory: UnsafeMutableRawPointer?
    private var capacity = 0
    private var start = 0

    /// The number of queued bytes.
    public private(set) var count = 0

    /// Makes an empty queue.
    ///
    /// The queue allocates memory when the first bytes are appended.
    public init() { unsafe memory = nil }

    deinit { unsafe free(memory) }

    /// Copies bytes to the end of the queue.
    public func append(_ bytes: Span<UInt8>) {
        reserve(bytes.count)
        guard let memory = unsafe memory, bytes.count > 0 else { return }
        unsafe bytes.withUnsafeBufferPointer { source in
            // `reserve` has made room for `bytes.count` more bytes after the queued bytes.
            unsafe (memory + start + count).copyMemory(
                from: UnsafeRawPointer(source.baseAddress.unsafelyUnwrapped), byteCount: bytes.count)
        }
        count += bytes.count
    }

    /// Calls `body` with the queued bytes.
    public func withBytes<Failure: Error, Outcome>(
        _ body: (Span<UInt8>) throws(Failure) -> Outcome
    ) throws(Failure) -> Outcome {
        guard let memory = unsafe memory else { return try body(Span()) }
        // The `count` bytes that begin at `start` are initialised.
        return try body(unsafe Span(_unsafeStart: (memory + start).assumingMemoryBound(to: UInt8.self), count: count))
    }

    /// Removes up to `byteCount` bytes from the front.
    public func removeFirst(_ byteCount: Int) {
        let removed = max(0, min(byteCount, count))
        start += removed
        count -= removed
        if count == 0 { start = 0 }
    }

    private func reserve(_ byteCount: Int) {
        if start + count + byteCount <= capacity { return }
        if let memory = unsafe memory, start > 0 {
            unsafe memmove(memory, memory + start, count)
            start = 0
        }
        if count + byteCount <= capacity { return }
        capacity = max(count + byteCount, 4096)
        unsafe memory = realloc(memory, capacity)
        precondition(unsafe memory != nil, "out of memory")
    }
}
