internal import Synchronization
internal import SystemCalls

/// The figures so far of a load that runs on another thread, for a line on a terminal.
public final class LoadProgress: Sendable {
    private let requests = Atomic<Int>(0)
    private let bytes = Atomic<Int>(0)
    private let nanoseconds = Atomic<UInt64>(0)
    private let median = Atomic<UInt64>(0)
    private let p99 = Atomic<UInt64>(0)

    /// Makes figures of zero.
    public init() {}

    /// What has been measured so far.
    public struct Snapshot: Hashable, Sendable {
        /// Replies that count.
        public var requestCount: Int
        /// Bytes of replies that count.
        public var byteCount: Int
        /// The duration of the measurement so far; zero during the warm-up.
        public var elapsed: Duration
        /// The median response time, in nanoseconds; 0 if there is none yet.
        public var median: UInt64
        /// The 99th percentile of response times, in nanoseconds; 0 if there are too few requests.
        public var p99: UInt64
    }

    /// The last published figures.
    ///
    /// The fields may be from different moments.
    public var snapshot: Snapshot {
        Snapshot(
            requestCount: requests.load(ordering: .relaxed), byteCount: bytes.load(ordering: .relaxed),
            elapsed: .nanoseconds(Int64(clamping: nanoseconds.load(ordering: .relaxed))),
            median: median.load(ordering: .relaxed), p99: p99.load(ordering: .relaxed))
    }

    func publish(_ snapshot: Snapshot) {
        requests.store(snapshot.requestCount, ordering: .relaxed)
        bytes.store(snapshot.byteCount, ordering: .relaxed)
        nanoseconds.store(snapshot.elapsed.nanoseconds, ordering: .relaxed)
        median.store(snapshot.median, ordering: .relaxed)
        p99.store(snapshot.p99, ordering: .relaxed)
    }
}
