/// A histogram of durations with cumulative buckets.
public struct HistogramSample: Hashable, Sendable {
    /// A bucket's upper bound, and the number of values at or below it.
    public struct Bucket: Hashable, Sendable {
        /// The upper bound in seconds.
        public let upperBound: Double

        /// The number of values at or below the bound.
        public let cumulativeCount: UInt64

        /// Makes a bucket.
        public init(upperBound: Double, cumulativeCount: UInt64) {
            self.upperBound = upperBound
            self.cumulativeCount = cumulativeCount
        }
    }

    /// The labels, in the order in which they are written.
    public let labels: [MetricLabel]

    /// The buckets with a finite bound, in ascending order of bound and count.
    public let buckets: [Bucket]

    /// The sum of all values in seconds.
    public let sum: Double

    /// The number of all values.
    public let count: UInt64

    /// Makes a histogram from cumulative buckets.
    ///
    /// The buckets are sorted by bound. A count that is lower than that of the bucket before it is raised to the same
    /// value, since other threads may count while the counts are read. Buckets with an infinite bound or NaN are left
    /// out.
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

    /// Makes a histogram from the count of each bucket.
    ///
    /// - Parameters:
    ///   - upperBounds: the bounds in seconds, in ascending order.
    ///   - counts: the number of values between each bound and the one before, then the number above all bounds.
    ///   - sum: the sum of all values in seconds.
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
