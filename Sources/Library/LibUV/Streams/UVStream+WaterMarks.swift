internal import CLibUV

/// The lengths of a write queue, in bytes, at which a program pauses and resumes writing.
public struct UVWaterMarks: Hashable, Sendable {
    /// The number of queued bytes above which the queue counts as full.
    public let high: Int

    /// The number of queued bytes at which a full queue counts as drained.
    public let low: Int

    /// Makes water marks.
    ///
    /// - Parameters:
    ///   - high: the high-water mark. A negative number counts as 0.
    ///   - low: the low-water mark, at most `high`. The default is half of `high`.
    public init(high: Int, low: Int? = nil) {
        self.high = max(0, high)
        self.low = max(0, min(low ?? self.high / 2, self.high))
    }
}

/// The water marks of a stream, and whether its queue has become full since it last drained.
struct WaterLevel {
    let marks: UVWaterMarks
    var isFull: Bool

    /// Records the length of a stream's queue after a write.
    static func rise(_ stream: UnsafeMutablePointer<uv_stream_t>, to byteCount: Int, of loop: UVLoop) {
        guard let level = unsafe loop.state.pointee.waterLevels[stream], !level.isFull, byteCount > level.marks.high
        else { return }
        unsafe loop.state.pointee.waterLevels[stream]?.isFull = true
    }

    /// Reports the event `drained` after a write has completed, if the queue was full and has fallen to the low-water
    /// mark.
    static func fall(_ stream: UnsafeMutablePointer<uv_stream_t>, of loop: UVLoop) {
        guard let level = unsafe loop.state.pointee.waterLevels[stream], level.isFull,
            unsafe stream.pointee.write_queue_size &+ GatheredWrites.byteCount(stream) <= level.marks.low,
            unsafe uv_is_closing(cuv_handle_of_stream(stream)) == 0
        else { return }
        unsafe loop.state.pointee.waterLevels[stream]?.isFull = false
        if unsafe Trampolines.hasCallbacks(stream) { unsafe Trampolines.emit(.drained, on: stream) }
    }
}

extension UVStream {
    /// The water marks of the write queue, or `nil` if the stream has none, which is the default.
    ///
    /// When more than `high` bytes are queued, `isFull` becomes true. When at most `low` bytes are still queued,
    /// `isFull` becomes false, and the stream reports the event `drained` once. A stream without water marks pays
    /// nothing for them. Setting the property on a closing stream has no effect.
    public final var waterMarks: UVWaterMarks? {
        get {
            assertOnThread()
            return unsafe loop.state.pointee.waterLevels[stream]?.marks
        }
        set {
            assertOnThread()
            if isClosing { return }
            unsafe loop.state.pointee.waterLevels[stream] = newValue.map {
                WaterLevel(marks: $0, isFull: writeQueueSize > $0.high)
            }
            unsafe Trampolines.setFlag(Trampolines.hasWaterMarks, newValue != nil, of: stream)
        }
    }

    /// Whether the write queue has exceeded the high-water mark and has not fallen to the low-water mark since.
    ///
    /// It is `false` if the stream has no water marks.
    public final var isFull: Bool {
        assertOnThread()
        return unsafe loop.state.pointee.waterLevels[stream]?.isFull ?? false
    }

    /// Records the length of the queue after a write, if the stream has water marks.
    final func noteQueueSize() {
        guard unsafe UInt(bitPattern: stream.pointee.data) & Trampolines.hasWaterMarks != 0 else { return }
        unsafe WaterLevel.rise(stream, to: writeQueueSize, of: loop)
    }
}

extension UVStream {
    /// Copies bytes to a buffer from the pool, and writes the buffer (`uv_write`).
    ///
    /// - Parameter bytes: the bytes to copy, which the caller keeps.
    /// - Throws: the same errors as `write` of a buffer.
    public final func write(copying bytes: Span<UInt8>) throws(UVError) {
        var buffer = makeBuffer(capacity: bytes.count)
        buffer.append(copying: bytes)
        try write(buffer)
    }

    /// Writes a text as UTF-8 (`uv_write`).
    ///
    /// - Throws: the same errors as `write` of a buffer.
    public final func write(_ text: String) throws(UVError) { try write(copying: text.utf8.span) }
}
