import Histogram

/// A histogram of latencies from 1 ns to 1 h, with three significant digits (`HdrHistogram`).
///
/// A histogram takes about 270 kilobytes, which are allocated once. `record` does not allocate, provided that no copy
/// of the histogram exists. Threads should record into separate histograms and merge them afterwards.
public struct LatencyHistogram: Sendable {
    /// The largest recorded latency, one hour.
    ///
    /// A longer latency is recorded as one hour.
    public static let longestNanoseconds: UInt64 = 3_600_000_000_000

    var counts: Histogram<UInt64>

    /// Makes an empty histogram.
    public init() {
        counts = Histogram(
            lowestDiscernibleValue: 1, highestTrackableValue: LatencyHistogram.longestNanoseconds,
            numberOfSignificantValueDigits: .three)
    }

    /// Records one latency.
    public mutating func record(nanoseconds: UInt64) {
        counts.record(Swift.min(nanoseconds, LatencyHistogram.longestNanoseconds))
    }

    /// Adds the samples of another histogram.
    public mutating func merge(_ other: LatencyHistogram) { counts.add(other.counts) }

    /// Removes all samples and keeps the memory for new ones.
    public mutating func reset() { counts.reset() }

    /// The number of samples.
    public var count: UInt64 { counts.totalCount }

    /// The shortest latency, in nanoseconds; `nil` if there are no samples.
    public var min: UInt64? { count == 0 ? nil : counts.min }

    /// The longest latency, in nanoseconds; `nil` if there are no samples.
    public var max: UInt64? { count == 0 ? nil : counts.maxRecorded }

    /// The mean latency, in nanoseconds; `nil` if there are no samples.
    public var mean: Double? { count == 0 ? nil : counts.mean }

    /// Returns the latency at a percentile or, if there are too few samples, the number of missing samples.
    ///
    /// At least ten samples must be above the percentile.
    public func reading(at percentile: Percentile) -> PercentileReading {
        let missing = percentile.requiredCount - Swift.min(count, percentile.requiredCount)
        return PercentileReading(
            percentile: percentile,
            nanoseconds: missing == 0 ? Double(counts.valueAtPercentile(percentile.percent)) : nil,
            needsMore: missing == 0 ? nil : missing)
    }

    /// Returns the latency at a percentile, in nanoseconds, even if there are few samples.
    ///
    /// Returns `nil` if there are no samples.
    ///
    /// Use this function for single blocks, which have few samples. Reports use `reading(at:)`.
    public func quantile(at percentile: Percentile) -> UInt64? {
        count == 0 ? nil : counts.valueAtPercentile(percentile.percent)
    }

    /// Returns the percentiles in microseconds, in the text format of HdrHistogram's tools (`.hgrm`).
    ///
    /// - Parameter ticksPerHalfDistance: the number of lines for each halving of the distance to 100 %. Values outside
    ///   `1...100` are clamped to this range.
    public func percentileDistribution(ticksPerHalfDistance: Int = 5) -> String {
        var text = ""
        counts.outputPercentileDistribution(
            to: &text, outputValueUnitScalingRatio: 1000,
            percentileTicksPerHalfDistance: Swift.min(Swift.max(ticksPerHalfDistance, 1), 100))
        return text
    }
}
