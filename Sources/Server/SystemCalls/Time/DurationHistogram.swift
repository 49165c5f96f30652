/// A histogram of durations.
///
/// The upper bound of the first bucket is 1 µs. Each later bound is twice the previous bound.
public struct DurationHistogram: Hashable, Sendable {
    /// The number of buckets that have an upper bound.
    public static let boundedCount = HistogramCounter.Buckets.count - 1

    /// The buckets' inclusive upper bounds, in nanoseconds.
    ///
    /// The last bucket has no upper bound and is not listed.
    public static let upperBounds = (0..<boundedCount).map { 1000 << $0 }

    /// The number of durations in each bucket.
    public var counts = [Int](repeating: 0, count: boundedCount + 1)

    /// The sum of all durations in nanoseconds.
    public var sum = 0

    /// Makes an empty histogram.
    public init() {}

    /// The index of the bucket for a duration in nanoseconds.
    public static func bucket(for nanoseconds: Int) -> Int {
        let microseconds = nanoseconds <= 0 ? 0 : (nanoseconds - 1) / 1000 + 1
        return microseconds <= 1 ? 0 : min(Int.bitWidth - (microseconds - 1).leadingZeroBitCount, boundedCount)
    }
}

/// A histogram that one thread changes and any thread can read.
public struct HistogramCounter: ~Copyable, Sendable {
    typealias Buckets = InlineArray<22, Counter>

    private let counts = Buckets { _ in Counter() }
    private let sum = Counter()

    /// Makes an empty histogram.
    public init() {}

    /// Adds a duration to the histogram.
    public func record(nanoseconds: Int) {
        counts[DurationHistogram.bucket(for: nanoseconds)].add(1)
        sum.add(nanoseconds)
    }

    /// Adds this histogram's counts and sum to another histogram.
    public func add(to histogram: inout DurationHistogram) {
        for index in histogram.counts.indices { histogram.counts[index] += counts[index].value }
        histogram.sum += sum.value
    }
}
