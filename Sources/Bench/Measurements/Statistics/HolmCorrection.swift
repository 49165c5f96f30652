/// Holm's correction of p-values for multiple tests.
public enum HolmCorrection {
    /// Returns the adjusted p-values, in the same order; each can be compared with the level of a single test.
    ///
    /// The smallest of m is multiplied by m, the next by m - 1, and so on. The result is kept monotonic.
    public static func adjusted(_ probabilities: [Double]) -> [Double] {
        var adjusted = probabilities
        var greatest = 0.0
        let order = probabilities.indices.sorted { probabilities[$0] < probabilities[$1] }
        for (step, index) in order.enumerated() {
            greatest = max(greatest, min(1, probabilities[index] * Double(order.count - step)))
            adjusted[index] = greatest
        }
        return adjusted
    }
}
