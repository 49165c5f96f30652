internal import Synchronization

/// How often something took how long: counts in buckets whose bounds double, from a microsecond to a second.
public struct DurationHistogram: Hashable, Sendable {
    /// How many buckets have a bound.
    static let boundedCount = 21

    /// The upper bounds of the buckets, which are inclusive, in nanoseconds; the last bucket, behind them, has none.
    public static let upperBounds = (0..<boundedCount).map { 1000 << $0 }

    /// How often each bucket was hit.
    public var counts = [Int](repeating: 0, count: boundedCount + 1)

    /// All times added, in nanoseconds.
    public var sum = 0

    /// Makes an empty histogram.
    public init() {}

    /// The bucket for a time in nanoseconds.
    static func bucket(for nanoseconds: Int) -> Int {
        let microseconds = nanoseconds <= 0 ? 0 : (nanoseconds - 1) / 1000 + 1
        return microseconds <= 1 ? 0 : min(Int.bitWidth - (microseconds - 1).leadingZeroBitCount, boundedCount)
    }

    /// Adds the counts of another.
    mutating func add(_ other: DurationHistogram) {
        for index in counts.indices { counts[index] += other.counts[index] }
        sum += other.sum
    }
}

/// A histogram that threads add to, and others read.
struct AtomicHistogram: ~Copyable, Sendable {
    private let counts = InlineArray<22, Atomic<Int>> { _ in Atomic(0) }
    private let sum = Atomic<Int>(0)

    func record(nanoseconds: Int) {
        counts[DurationHistogram.bucket(for: nanoseconds)].add(1, ordering: .relaxed)
        sum.add(nanoseconds, ordering: .relaxed)
    }

    var histogram: DurationHistogram {
        var histogram = DurationHistogram()
        for index in histogram.counts.indices { histogram.counts[index] = counts[index].load(ordering: .relaxed) }
        histogram.sum = sum.load(ordering: .relaxed)
        return histogram
    }
}
