/// The figures so far of a load that runs on another thread, for a line on a terminal.
public struct LoadProgress: Sendable {
    /// Replies that count.
    public internal(set) var requestCount = 0
    /// Bytes of replies that count.
    public internal(set) var byteCount = 0
    /// The duration of the measurement so far; zero during the warm-up.
    public internal(set) var elapsed = Duration.zero
    /// The median response time, in nanoseconds; 0 if there is none yet.
    public internal(set) var median: UInt64 = 0
    /// The 99th percentile of response times, in nanoseconds; 0 if there are too few requests.
    public internal(set) var p99: UInt64 = 0
    /// Whether the load has ended.
    public var isOver = false

    /// Makes figures of zero.
    public init() {}
}
