/// A metric, with the samples of all its series.
public struct MetricFamily: Sendable {
    /// The kind of a metric.
    public enum Kind: Sendable {
        /// A number that never decreases while the process runs.
        case counter
        /// A number that can increase and decrease.
        case gauge
        /// Counts of values in buckets.
        case histogram
    }

    /// The kind of the metric.
    public let kind: Kind

    /// The name of the metric, for example `uvserver_connections_accepted_total`.
    public let name: String

    /// A description of the metric in one sentence.
    public let help: String

    /// The samples of all series.
    public let samples: [MetricSample]

    /// Makes a metric.
    ///
    /// `PrometheusText` replaces each invalid character of the name with an underscore.
    public init(_ kind: Kind, _ name: String, help: String, _ samples: [MetricSample]) {
        self.kind = kind
        self.name = name
        self.help = help
        self.samples = samples
    }

    /// Makes a metric that has one series without labels.
    public init(_ kind: Kind, _ name: String, help: String, _ value: Double) {
        self.init(kind, name, help: help, [MetricSample(value)])
    }
}

/// One number of a metric.
///
/// A series of a counter or gauge has one sample. A series of a histogram has one sample for each bucket, one sample
/// for the sum and one sample for the count.
public struct MetricSample: Sendable {
    /// The text after the metric's name, for example `_sum`, which distinguishes the samples of a histogram.
    public let suffix: String

    /// The labels that distinguish the series of a metric, in the order in which they are written.
    ///
    /// The value of a label can be any text.
    public let labels: [(name: String, value: String)]

    /// The number, in the unit that the metric's name states.
    public let value: Double

    /// Makes a sample.
    public init(_ value: Double, suffix: String = "", labels: [(name: String, value: String)] = []) {
        self.suffix = suffix
        self.labels = labels
        self.value = value
    }

    /// Makes the samples of a histogram: cumulative buckets, the sum and the count.
    ///
    /// - Parameters:
    ///   - upperBounds: the upper bounds of the buckets in seconds, in ascending order.
    ///   - counts: the number of values in each bucket. The numbers are not cumulative. The last element counts the
    ///     values above all bounds.
    ///   - sum: the sum of all values in seconds.
    public static func histogram(
        upperBounds: [Double], counts: [Int], sum: Double, labels: [(name: String, value: String)] = []
    ) -> [MetricSample] {
        var total = 0.0
        let buckets = zip(upperBounds + [.infinity], counts).map { bound, count in
            total += Double(count)
            return MetricSample(total, suffix: "_bucket", labels: labels + [("le", PrometheusText.number(bound))])
        }
        let count = MetricSample(total, suffix: "_count", labels: labels)
        return buckets + [MetricSample(sum, suffix: "_sum", labels: labels), count]
    }
}
