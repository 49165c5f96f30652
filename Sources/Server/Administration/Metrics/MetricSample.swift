/// A name and a value that tell a series from the others of its metric.
public struct MetricLabel: Hashable, Sendable {
    /// The name, as `reason`.
    public let name: String

    /// The value: any text.
    public let value: String

    /// Makes a label.
    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// One number of a metric.
public struct MetricSample: Hashable, Sendable {
    /// What tells it from the others; written in this order.
    public let labels: [MetricLabel]

    /// The number, in the unit that the metric's name ends with.
    public let value: Double

    /// Makes a sample.
    public init(_ value: Double, labels: [MetricLabel] = []) {
        self.labels = labels
        self.value = value
    }
}
