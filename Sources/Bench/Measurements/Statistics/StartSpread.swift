/// Tests whether starts of the servers differ by more than their blocks do.
///
/// Memory addresses, threads and processors stay the same for the lifetime of a process, so blocks of one start can be
/// more alike than blocks of different starts. Blocks alone then claim too much precision. The test is an F test of the
/// variances between and within starts, at the level of 0.25 that is usual for deciding whether to pool (Bancroft).
public struct StartSpread: Hashable, Codable, Sendable {
    /// The p-value below which starts are taken to differ.
    public static let level = 0.25

    /// The standard deviation of the starts' means.
    public var betweenStarts: Double
    /// The standard deviation of the blocks around the mean of their start.
    public var betweenBlocks: Double
    /// The p-value of the ratio of variances.
    public var pValue: Double

    /// Whether starts differ by more than their blocks do.
    public var exceedsBlocks: Bool { pValue < StartSpread.level }

    /// Tests the blocks of each start; `nil` with fewer than two starts that have blocks, or with one block per start.
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
