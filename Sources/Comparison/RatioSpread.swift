/// The middle of some ratios that were measured in pairs, and the range that the true middle lies in.
public struct RatioSpread: Hashable, Sendable {
    /// The median.
    public let median: Double

    /// The lower end of the range.
    public let low: Double

    /// The upper end of the range.
    public let high: Double

    /// Sums ratios up; `nil` where there are none.
    ///
    /// The range is that of the sign test: the two values, equally far from either end of the sorted ratios, between
    /// which the true median lies with a probability of at least 95%; below six ratios, the smallest and the largest.
    public init?(of ratios: [Double]) {
        guard !ratios.isEmpty else { return nil }
        let sorted = ratios.sorted()
        let count = sorted.count
        median = (sorted[(count - 1) / 2] + sorted[count / 2]) / 2
        let outside = RatioSpread.outside(of: count)
        low = sorted[outside]
        high = sorted[count - 1 - outside]
    }

    /// How many values lie outside the range at either end.
    ///
    /// The greatest k for which, of so many fair coins, at most k show heads with a probability of at most 2.5%.
    static func outside(of count: Int) -> Int {
        var probability = 1.0
        for _ in 0..<count { probability /= 2 }
        var sum = probability
        var outside = 0
        while true {
            probability *= Double(count - outside) / Double(outside + 1)
            sum += probability
            if sum > 0.025 { return outside }
            outside += 1
        }
    }
}
