internal import Glibc

/// Bytes that wait to be sent: appended behind, taken from the front.
///
/// Made where there are some, for one thread.
@safe
public final class ByteQueue {
    private var memory: UnsafeMutableRawPointer?
    private var capacity = 0
    private var start = 0

    /// How many bytes wait.
    public private(set) var count = 0

    /// Makes an empty queue, which takes no memory of its own yet.
    public init() { unsafe memory = nil }

    deinit { unsafe free(memory) }

    /// Appends bytes by copying them.
    public func append(_ bytes: Span<UInt8>) {
        reserve(bytes.count)
        guard let memory = unsafe memory, bytes.count > 0 else { return }
        unsafe bytes.withUnsafeBufferPointer { source in
            // `reserve` has made room for as many bytes behind the ones that wait.
            unsafe (memory + start + count).copyMemory(
                from: UnsafeRawPointer(source.baseAddress.unsafelyUnwrapped), byteCount: bytes.count)
        }
        count += bytes.count
    }

    /// Calls `body` with the bytes that wait.
    public func withBytes<Failure: Error, Outcome>(
        _ body: (Span<UInt8>) throws(Failure) -> Outcome
    ) throws(Failure) -> Outcome {
        guard let memory = unsafe memory else { return try body(Span()) }
        // The `count` bytes from `start` on have been copied in.
        return try body(unsafe Span(_unsafeStart: (memory + start).assumingMemoryBound(to: UInt8.self), count: count))
    }

    /// Takes bytes from the front: at most as many as wait.
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
