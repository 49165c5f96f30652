/// Holm's correction of p-values for multiple comparisons.
public enum HolmCorrection {
    /// Returns the adjusted p-values, in the same order.
    ///
    /// Each adjusted p-value can be compared with the significance level of a single test.
    ///
    /// Of m p-values, the smallest is multiplied by m, the next by m - 1, and so on. An adjusted p-value is at most 1,
    /// and never lower than the adjusted value of a smaller p-value.
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
