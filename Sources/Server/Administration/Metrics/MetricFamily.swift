/// A metric with all its series.
public struct MetricFamily: Sendable {
    /// The kind of a metric.
    public enum Kind: Sendable {
        /// Numbers that never decrease while the process runs.
        case counter
        /// Numbers that increase and decrease.
        case gauge
        /// Histograms.
        case histogram
    }

    /// The kind.
    public let kind: Kind

    /// The name, for example `uvserver_connections_accepted_total`.
    public let name: String

    /// A description in one sentence.
    public let help: String

    /// The numbers of all series.
    public let samples: [MetricSample]

    /// Makes a metric; characters that a name must not contain are written as underscores.
    public init(_ kind: Kind, _ name: String, help: String, _ samples: [MetricSample]) {
        self.kind = kind
        self.name = name
        self.help = help
        self.samples = samples
    }

    /// Makes a metric with one series without labels.
    public init(_ kind: Kind, _ name: String, help: String, _ value: Double) {
        self.init(kind, name, help: help, [MetricSample(value)])
    }
}

/// The current number of one series, or one of the numbers of a histogram.
public struct MetricSample: Sendable {
    /// The text after the metric's name, which tells the numbers of a histogram apart.
    public let suffix: String

    /// The labels, which distinguish the series of a metric, in the order in which they are written.
    ///
    /// A value can be any text.
    public let labels: [(name: String, value: String)]

    /// The number, in the unit in the metric's name.
    public let value: Double

    /// Makes a sample.
    public init(_ value: Double, suffix: String = "", labels: [(name: String, value: String)] = []) {
        self.suffix = suffix
        self.labels = labels
        self.value = value
    }

    /// Makes the numbers of a histogram: cumulative buckets, the sum and the count.
    ///
    /// - Parameters:
    ///   - upperBounds: the bounds in seconds, in ascending order.
    ///   - counts: the number of values between each bound and the one before, then the number above all bounds.
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
