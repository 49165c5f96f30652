/// The Hodges–Lehmann estimate of a sample's centre, with the confidence interval of Wilcoxon's signed-rank test.
///
/// The estimate is the median of the Walsh averages. A Walsh average is the mean of two numbers of the sample, which
/// may be the same number.
public struct HodgesLehmann: Sendable {
    private let averages: OrderedSample
    private let count: Int

    /// Prepares a sample; `nil` if it is empty or contains a number that is not finite.
    public init?(_ values: [Double]) {
        guard !values.isEmpty, values.allSatisfy(\.isFinite) else { return nil }
        count = values.count
        averages = OrderedSample(
            values.indices.flatMap { first in values[first...].map { (values[first] + $0) / 2 } })
    }

    /// The estimated centre.
    public var estimate: Double { averages.median ?? 0 }

    /// Returns the confidence interval: all centres that the signed-rank test does not reject.
    ///
    /// The two ends are Walsh averages. If the lower end is the k-th smallest average, the upper end is the k-th
    /// largest. The confidence level is at least 95 %. For more than `SignedRankTest.exactLimit` values, this holds
    /// only approximately, because k then comes from the normal approximation.
    ///
    /// - Returns: the interval, or `nil` if there are fewer than six values.
    public func interval() -> Interval? {
        let rank = HodgesLehmann.rank(count: count, tail: 0.025)
        guard rank >= 1 else { return nil }
        return Interval(averages.values[rank - 1], averages.values[averages.values.count - rank])
    }

    /// Returns the rank of the interval's ends: the smallest rank sum whose cumulative probability exceeds `tail`.
    static func rank(count: Int, tail: Double) -> Int {
        guard count <= SignedRankTest.exactLimit else { return approximateRank(count: Double(count), tail: tail) }
        let probabilities = SignedRankTest.distribution(ranks: (1...count).map(Double.init))
        var lower = 0.0
        // There are no ties, so every rank sum is an integer. Its probability is at the index `2 * sum`.
        for sum in 0...(count * (count + 1) / 2) {
            lower += probabilities[2 * sum]
            if lower > tail { return sum }
        }
        return 0
    }

    private static func approximateRank(count: Double, tail: Double) -> Int {
        let deviation = (count * (count + 1) * (2 * count + 1) / 24).squareRoot()
        return Int((count * (count + 1) / 4 + NormalDistribution.quantile(tail) * deviation).rounded(.down))
    }
}
