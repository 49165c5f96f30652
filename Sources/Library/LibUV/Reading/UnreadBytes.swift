/// The bytes that a reader has received and not returned yet, in one contiguous piece.
///
/// The bytes stay in the last buffer that the stream has returned, without a copy. If an item spans several buffers,
/// the bytes are in an array instead. If there are no bytes, the structure holds no memory.
struct UnreadBytes: ~Copyable {
    private var current: UVBuffer?
    private var bytes: [UInt8] = []
    /// The number of bytes at the beginning of `bytes` that have been returned.
    private var start = 0

    init() { current = nil }

    var count: Int {
        switch current {
        case .some(let buffer): buffer.count
        case .none: bytes.count - start
        }
    }

    /// Calls `body` with the bytes.
    borrowing func withBytes<Failure: Error, Outcome: ~Copyable>(
        _ body: (Span<UInt8>) throws(Failure) -> Outcome
    ) throws(Failure) -> Outcome {
        switch current {
        case .some(let buffer): try buffer.withBytes(body)
        case .none: try body(bytes.span.extracting(start..<bytes.count))
        }
    }

    /// Appends a buffer of the stream.
    ///
    /// Bytes are moved only if an incomplete item precedes the buffer, and each byte is moved at most twice. Therefore
    /// the cost is linear, even if the bytes arrive one by one.
    mutating func append(_ buffer: consuming UVBuffer) {
        if count == 0 {
            current = consume buffer
            return
        }
        if let first = current.take() { first.append(to: &bytes) }
        if start > 0 {
            bytes.removeFirst(start)
            start = 0
        }
        buffer.append(to: &bytes)
    }

    /// Removes bytes from the front.
    mutating func removeFirst(_ byteCount: Int) {
        if var buffer = current.take() {
            buffer.removeFirst(byteCount)
            if !buffer.isEmpty { current = consume buffer }
            return
        }
        start += byteCount
        guard start == bytes.count else { return }
        bytes = []
        start = 0
    }

    /// Removes bytes from the front, and returns them.
    mutating func takeFirst(_ byteCount: Int) -> [UInt8] {
        if start == 0, byteCount == bytes.count {
            // The array is empty if the bytes are in a buffer.
            let all = bytes
            bytes = []
            return all
        }
        let taken = withBytes { [UInt8](copying: $0.extracting(0..<byteCount)) }
        removeFirst(byteCount)
        return taken
    }
}
