/// A label, which distinguishes the series of a metric.
public struct MetricLabel: Hashable, Sendable {
    /// The name, for example `reason`.
    public let name: String

    /// The value, which can be any text.
    public let value: String

    /// Makes a label.
    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// The current number of one series.
public struct MetricSample: Hashable, Sendable {
    /// The labels, in the order in which they are written.
    public let labels: [MetricLabel]

    /// The number, in the unit in the metric's name.
    public let value: Double

    /// Makes a sample.
    public init(_ value: Double, labels: [MetricLabel] = []) {
        self.labels = labels
        self.value = value
    }
}
