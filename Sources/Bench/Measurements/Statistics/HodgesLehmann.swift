/// The Hodges–Lehmann estimate of the centre of a sample, with the interval of Wilcoxon's signed-rank test.
///
/// The estimate is the median of the Walsh averages: the means of all pairs, including each number with itself.
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

    /// The centre.
    public var estimate: Double { averages.median ?? 0 }

    /// Returns the interval of the centres that the test does not reject.
    ///
    /// The ends are Walsh averages at equal ranks from both sides. The confidence is at least 95 %, exactly up to
    /// `SignedRankTest.exactLimit` values and approximately above it.
    ///
    /// - Returns: the interval, or `nil` if the sample is too small: 95 % needs six values.
    public func interval() -> Interval? {
        let rank = HodgesLehmann.rank(count: count, tail: 0.025)
        guard rank >= 1 else { return nil }
        return Interval(averages.values[rank - 1], averages.values[averages.values.count - rank])
    }

    /// The rank of the interval's ends: one more than the largest sum whose lower tail has at most this probability.
    static func rank(count: Int, tail: Double) -> Int {
        guard count <= SignedRankTest.exactLimit else { return approximateRank(count: Double(count), tail: tail) }
        let probabilities = SignedRankTest.distribution(ranks: (1...count).map(Double.init))
        var lower = 0.0
        // Without ties the sums are at the even indices.
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
