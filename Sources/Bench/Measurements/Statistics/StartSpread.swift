/// Tests whether there is a significant difference between the starts of the servers.
///
/// Memory addresses, threads and processors stay the same for the lifetime of a process. Blocks of the same start can
/// therefore be more alike than blocks of different starts. In this case, an interval that ignores the starts is too
/// narrow. The test is an F test: it compares the variance between starts with the variance within starts. Its
/// significance level is 0.25, the usual level for deciding whether to pool samples (Bancroft).
public struct StartSpread: Hashable, Codable, Sendable {
    /// The significance level.
    ///
    /// A difference between starts is significant if the p-value is below this level.
    public static let level = 0.25

    /// The standard deviation of the starts' means.
    public var betweenStarts: Double
    /// The standard deviation of the blocks around the mean of their start.
    public var betweenBlocks: Double
    /// The p-value of the F test.
    public var pValue: Double

    /// Whether there is a significant difference between starts.
    ///
    /// If true, the variation between blocks of one start does not explain the variation between starts.
    public var exceedsBlocks: Bool { pValue < StartSpread.level }

    /// Runs the F test on the values of the blocks, grouped by start.
    ///
    /// Returns `nil` if fewer than two starts have blocks, or if each start has only one block.
    public init?(_ starts: [[Double]]) {
        let starts = starts.filter { !$0.isEmpty }
        let values = starts.flatMap { $0 }
        let within = values.count - starts.count
        guard starts.count >= 2, within >= 1 else { return nil }
        let means = starts.map(\.mean)
        let centre = values.mean
        let meanSquareBetween =
            starts.reduce(0) { $0 + Double($1.count) * ($1.mean - centre) * ($1.mean - centre) }
            / Double(starts.count - 1)
        let meanSquareWithin = starts.reduce(0) { $0 + $1.squaredDeviations } / Double(within)
        betweenStarts = (means.squaredDeviations / Double(starts.count - 1)).squareRoot()
        betweenBlocks = meanSquareWithin.squareRoot()
        pValue =
            meanSquareBetween == 0
            ? 1
            : VarianceRatioDistribution.above(
                meanSquareBetween / meanSquareWithin, Double(starts.count - 1), Double(within))
    }
}
