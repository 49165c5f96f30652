/// How many of the measured lengths of time were not longer than each of some bounds.
public struct HistogramSample: Hashable, Sendable {
    /// A bound, and how many were not above it.
    public struct Bucket: Hashable, Sendable {
        /// The bound, in seconds.
        public let upperBound: Double

        /// How many were at most that, those of the buckets below included.
        public let cumulativeCount: UInt64

        /// Makes a bucket.
        public init(upperBound: Double, cumulativeCount: UInt64) {
            self.upperBound = upperBound
            self.cumulativeCount = cumulativeCount
        }
    }

    /// What tells it from the others; written in this order.
    public let labels: [MetricLabel]

    /// The buckets that have a bound, which rises from each to the next, as their counts do.
    public let buckets: [Bucket]

    /// All measured times together, in seconds.
    public let sum: Double

    /// How many were measured, those above every bound included.
    public let count: UInt64

    /// Makes a histogram of buckets that are cumulative.
    ///
    /// They are put in order, and where a count is less than the one of the bucket below, as counts may be that were
    /// read while others were counting, it is raised to that. A bucket whose bound is no number, or infinite, is left
    /// out: all that was measured is in `count`.
    public init(buckets: [Bucket], sum: Double, count: UInt64, labels: [MetricLabel] = []) {
        self.labels = labels
        self.sum = sum
        var highest: UInt64 = 0
        self.buckets = buckets.filter(\.upperBound.isFinite).sorted { $0.upperBound < $1.upperBound }.map { bucket in
            highest = max(highest, bucket.cumulativeCount)
            return Bucket(upperBound: bucket.upperBound, cumulativeCount: highest)
        }
        self.count = max(count, highest)
    }

    /// Makes a histogram of the counts of each bucket alone.
    ///
    /// - Parameters:
    ///   - upperBounds: the bounds in seconds, each above the one before.
    ///   - counts: how many fell between each bound and the one before, and behind those how many were above all.
    ///   - sum: all together, in seconds.
    public init(upperBounds: [Double], counts: [UInt64], sum: Double, labels: [MetricLabel] = []) {
        var total: UInt64 = 0
        let sums = counts.map { count in
            total &+= count
            return total
        }
        self.init(
            buckets: zip(upperBounds, sums).map { Bucket(upperBound: $0, cumulativeCount: $1) }, sum: sum, count: total,
            labels: labels)
    }
}
