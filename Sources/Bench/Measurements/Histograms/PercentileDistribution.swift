import Histogram

extension LatencyHistogram {
    /// The percentile distribution as HdrHistogram's tools write and plot it (`.hgrm`), in microseconds.
    ///
    /// - Parameter ticksPerHalfDistance: how many lines each half of the remaining distance to 100 % has; from 1 to 100.
    public func percentileDistribution(ticksPerHalfDistance: Int = 5) -> String {
        var text = ""
        counts.outputPercentileDistribution(
            to: &text, outputValueUnitScalingRatio: 1000,
            percentileTicksPerHalfDistance: Swift.min(Swift.max(ticksPerHalfDistance, 1), 100))
        return text
    }
}
