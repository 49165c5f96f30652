/// Wilcoxon's signed-rank test of the hypothesis that paired differences are symmetric around 0.
///
/// Differences of 0 are dropped, and tied differences share the mean of their ranks. Up to `exactLimit` differences,
/// the p-value comes from the exact distribution, even with ties. For more differences, it comes from the normal
/// approximation with corrections for ties and for continuity.
public struct SignedRankTest: Sendable {
    /// The largest number of differences for which the exact distribution is used.
    public static let exactLimit = 60

    /// The number of differences that are not 0.
    public let count: Int
    /// The sum of the ranks of the positive differences.
    public let positiveRankSum: Double
    /// The two-sided p-value.
    public let pValue: Double

    /// Tests the given differences.
    public init(_ differences: [Double]) {
        let sorted = differences.filter { $0 != 0 && $0.isFinite }.sorted { $0.magnitude < $1.magnitude }
        let ranks = SignedRankTest.ranks(sorted.map(\.magnitude))
        count = sorted.count
        positiveRankSum = zip(sorted, ranks).reduce(0) { $1.0 > 0 ? $0 + $1.1 : $0 }
        pValue =
            count <= SignedRankTest.exactLimit
            ? SignedRankTest.exact(ranks: ranks, sum: positiveRankSum)
            : SignedRankTest.approximate(ranks: ranks, sum: positiveRankSum)
    }

    /// Returns the ranks of sorted numbers.
    ///
    /// The smallest number has rank 1. Equal numbers share the mean of their ranks.
    static func ranks(_ ascending: [Double]) -> [Double] {
        var ranks: [Double] = []
        while ranks.count < ascending.count {
            let first = ranks.count
            let same = ascending[first...].prefix { $0 == ascending[first] }.count
            ranks += Array(repeating: Double(2 * first + same + 1) / 2, count: same)
        }
        return ranks
    }

    /// Returns the probability of each sum of positive ranks.
    ///
    /// The index of a probability is twice the sum, because the shared rank of equal numbers can end in .5.
    static func distribution(ranks: [Double]) -> [Double] {
        let steps = ranks.map { Int(2 * $0) }
        var probabilities = [Double](repeating: 0, count: steps.reduce(0, +) + 1)
        probabilities[0] = 1
        var reached = 0
        for step in steps {
            reached += step
            for sum in stride(from: reached, through: 0, by: -1) {
                let without = probabilities[sum]
                let with = sum >= step ? probabilities[sum - step] : 0
                probabilities[sum] = (without + with) / 2
            }
        }
        return probabilities
    }

    private static func exact(ranks: [Double], sum: Double) -> Double {
        let probabilities = distribution(ranks: ranks)
        let index = Int(2 * sum)
        let tail = min(probabilities[...index].reduce(0, +), probabilities[index...].reduce(0, +))
        return min(1, 2 * tail)
    }

    private static func approximate(ranks: [Double], sum: Double) -> Double {
        let expectation = ranks.reduce(0, +) / 2
        let variance = ranks.reduce(0) { $0 + $1 * $1 } / 4
        let distance = max(0, (sum - expectation).magnitude - 0.5)
        return min(1, 2 * NormalDistribution.cumulative(-distance / variance.squareRoot()))
    }
}
