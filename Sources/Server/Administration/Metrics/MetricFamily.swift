/// A metric with all its series.
public struct MetricFamily: Hashable, Sendable {
    /// The name, for example `uvserver_connections_accepted_total`.
    public let name: String

    /// A description in one sentence.
    public let help: String

    /// The series.
    public let series: Series

    /// The series of a metric, by kind.
    public enum Series: Hashable, Sendable {
        /// Numbers that never decrease while the process runs.
        case counter([MetricSample])
        /// Numbers that increase and decrease.
        case gauge([MetricSample])
        /// Histograms.
        case histogram([HistogramSample])
    }

    /// Makes a metric; characters that a name must not contain are written as underscores.
    public init(_ name: String, help: String, _ series: Series) {
        self.name = name
        self.help = help
        self.series = series
    }

    /// Makes a counter with one series without labels.
    public static func counter(_ name: String, help: String, _ value: Double) -> MetricFamily {
        MetricFamily(name, help: help, .counter([MetricSample(value)]))
    }

    /// Makes a gauge with one series without labels.
    public static func gauge(_ name: String, help: String, _ value: Double) -> MetricFamily {
        MetricFamily(name, help: help, .gauge([MetricSample(value)]))
    }
}
