/// Whether starts of the servers differ by more than their blocks do.
///
/// A start decides about addresses, threads and processors for as long as it lives, so that its blocks may resemble each
/// other more than those of another start; then blocks alone promise more precision than there is. The question is put
/// to the ratio of the variances between and within starts, and answered with yes where blocks alone would reach that
/// ratio in less than a quarter of runs: the level at which samples may be pooled without harm (Bancroft).
public struct StartSpread: Hashable, Codable, Sendable {
    /// The probability below which starts are said to differ.
    public static let level = 0.25

    /// The standard deviation of the starts' means.
    public var betweenStarts: Double
    /// The standard deviation of the blocks around the mean of their start.
    public var betweenBlocks: Double
    /// The probability of as great a ratio where only the blocks differ.
    public var pValue: Double

    /// Whether the starts are what must be resampled.
    public var exceedsBlocks: Bool { pValue < StartSpread.level }

    /// Compares the blocks of each start; `nil` with fewer than two starts that have blocks, or no more blocks than starts.
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
