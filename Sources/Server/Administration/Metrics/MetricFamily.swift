/// A metric, with all its series: what a server counts or measures under one name.
public struct MetricFamily: Hashable, Sendable {
    /// What it is called, as `uvserver_connections_accepted_total`.
    public let name: String

    /// What it says, in a sentence.
    public let help: String

    /// Its series.
    public let series: Series

    /// The series of a metric, by its kind.
    public enum Series: Hashable, Sendable {
        /// Numbers that only grow while the process lives.
        case counter([MetricSample])
        /// Numbers that come and go.
        case gauge([MetricSample])
        /// How often what was measured fell where.
        case histogram([HistogramSample])
    }

    /// Makes a metric.
    ///
    /// What a name may not have in it is written as an underscore.
    public init(_ name: String, help: String, _ series: Series) {
        self.name = name
        self.help = help
        self.series = series
    }

    /// A counter with one series, without labels.
    public static func counter(_ name: String, help: String, _ value: Double) -> MetricFamily {
        MetricFamily(name, help: help, .counter([MetricSample(value)]))
    }

    /// A gauge with one series, without labels.
    public static func gauge(_ name: String, help: String, _ value: Double) -> MetricFamily {
        MetricFamily(name, help: help, .gauge([MetricSample(value)]))
    }
}
