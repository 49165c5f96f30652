// @unchecked Sendable: one task passes the box to another executor and does not use it in the meantime.
/// A box that passes a buffer to another executor, because a closure cannot consume a buffer that it captures.
final class BufferBox: @unchecked Sendable {
    private var buffer: UVBuffer?

    init(_ buffer: consuming UVBuffer) { self.buffer = consume buffer }

    /// Returns the buffer, and may be called only once.
    func take() -> UVBuffer {
        guard let buffer = buffer.take() else { fatalError("a buffer was taken twice") }
        return buffer
    }
}
