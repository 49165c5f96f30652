// @unchecked Sendable: one task passes the box to another executor and does not use it in the meantime.
/// A buffer on its way to another executor, since a closure cannot consume what it captures.
final class BufferBox: @unchecked Sendable {
    private var buffer: UVBuffer?

    init(_ buffer: consuming UVBuffer) { self.buffer = consume buffer }

    /// Returns the buffer, once.
    func take() -> UVBuffer {
        guard let buffer = buffer.take() else { fatalError("a buffer was taken twice") }
        return buffer
    }
}
