import Histogram

/// How often each latency was met: nanoseconds up to an hour, to three significant digits (`HdrHistogram`).
///
/// About 270 kilobytes, allocated once: `record` allocates nothing as long as no copy of the histogram is alive. Keep
/// one per thread and merge them afterwards.
public struct LatencyHistogram: Sendable {
    /// The longest latency that is told apart, one hour; what is longer is recorded as this and counted in
    /// `beyondRangeCount`.
    public static let longestNanoseconds: UInt64 = 3_600_000_000_000

    var counts: Histogram<UInt64>

    /// How many of the samples were longer than `longestNanoseconds`.
    public private(set) var beyondRangeCount: UInt64 = 0

    /// Makes an empty histogram.
    public init() {
        counts = Histogram(
            lowestDiscernibleValue: 1, highestTrackableValue: LatencyHistogram.longestNanoseconds,
            numberOfSignificantValueDigits: .three)
    }

    /// Records one latency.
    public mutating func record(nanoseconds: UInt64) {
        if nanoseconds > LatencyHistogram.longestNanoseconds { beyondRangeCount += 1 }
        counts.record(Swift.min(nanoseconds, LatencyHistogram.longestNanoseconds))
    }

    /// Adds the samples of another histogram.
    public mutating func merge(_ other: LatencyHistogram) {
        counts.add(other.counts)
        beyondRangeCount += other.beyondRangeCount
    }

    /// Forgets all samples and keeps the memory.
    public mutating func reset() {
        counts.reset()
        beyondRangeCount = 0
    }

    /// How many samples were recorded.
    public var count: UInt64 { counts.totalCount }

    /// The shortest latency, in nanoseconds; `nil` without samples.
    public var min: UInt64? { count == 0 ? nil : counts.min }

    /// The longest latency, in nanoseconds; `nil` without samples.
    public var max: UInt64? { count == 0 ? nil : counts.maxRecorded }

    /// The mean, in nanoseconds; `nil` without samples.
    public var mean: Double? { count == 0 ? nil : counts.mean }

    /// The standard deviation, in nanoseconds; `nil` without samples.
    public var standardDeviation: Double? { count == 0 ? nil : counts.stdDeviation }

    /// The value at a percentile, told only where at least ten samples lie above it.
    public func reading(at percentile: Percentile) -> PercentileReading {
        guard count >= percentile.requiredCount else { return .needsMore(percentile.requiredCount - count) }
        return .nanoseconds(counts.valueAtPercentile(percentile.percent))
    }

    /// The value at a percentile whatever the number of samples above it, in nanoseconds; `nil` without samples.
    ///
    /// For one block among many, whose quantiles are estimates that are then compared; a report uses `reading(at:)`.
    public func quantile(at percentile: Percentile) -> UInt64? {
        count == 0 ? nil : counts.valueAtPercentile(percentile.percent)
    }
}
