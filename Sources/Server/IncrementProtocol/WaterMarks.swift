/// The numbers of buffered reply bytes at which reading pauses and resumes.
@frozen
public struct WaterMarks: BitwiseCopyable, Hashable, Sendable {
    /// The server pauses reading above this many bytes.
    public let high: Int
    /// Reading resumes at this many bytes or fewer.
    public let low: Int

    /// Makes the marks for a limit and a read size.
    ///
    /// The high-water mark leaves room, within the limit, for the replies to one more read.
    ///
    /// - Parameters:
    ///   - limit: the limit on reply bytes buffered for one connection.
    ///   - readSize: the maximum number of bytes of one read.
    public init(limit: Int, readSize: Int) {
        high = max(0, limit - readSize)
        low = high / 2
    }
}
