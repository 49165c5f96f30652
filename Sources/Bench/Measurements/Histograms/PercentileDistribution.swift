import Histogram

extension LatencyHistogram {
    /// Returns the percentile distribution in the format of HdrHistogram's tools (`.hgrm`), in microseconds.
    ///
    /// - Parameter ticksPerHalfDistance: the number of lines for each halving of the distance to 100 %, from 1 to 100.
    public func percentileDistribution(ticksPerHalfDistance: Int = 5) -> String {
        var text = ""
        counts.outputPercentileDistribution(
            to: &text, outputValueUnitScalingRatio: 1000,
            percentileTicksPerHalfDistance: Swift.min(Swift.max(ticksPerHalfDistance, 1), 100))
        return text
    }
}
