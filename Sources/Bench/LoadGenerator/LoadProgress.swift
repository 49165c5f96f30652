/// The intermediate results of a load, for the progress line on a terminal.
///
/// The thread that runs the load updates these values, and another thread shows them.
public struct LoadProgress: Sendable {
    /// The number of measured replies.
    public internal(set) var requestCount = 0
    /// The number of measured reply bytes.
    public internal(set) var byteCount = 0
    /// The duration of the measurement so far; zero during warm-up.
    public internal(set) var elapsed = Duration.zero
    /// The median response time, in nanoseconds; 0 if there are too few requests.
    public internal(set) var median: UInt64 = 0
    /// The 99th percentile of response times, in nanoseconds; 0 if there are too few requests.
    public internal(set) var p99: UInt64 = 0
    /// Whether the load has ended.
    public var isOver = false

    /// Makes a value in which every number is zero.
    public init() {}
}
