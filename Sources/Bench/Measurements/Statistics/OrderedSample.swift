/// A sorted sample and its quantiles.
public struct OrderedSample: Sendable {
    /// The numbers in ascending order.
    public let values: [Double]

    /// Sorts a sample.
    ///
    /// NaN values are dropped.
    public init(_ values: [Double]) { self.values = values.filter { !$0.isNaN }.sorted() }

    /// The median; `nil` for an empty sample.
    public var median: Double? { quantile(0.5) }

    /// Returns a quantile by linear interpolation.
    ///
    /// Of n sorted numbers, the k-th is the quantile of the fraction (k - 1) / (n - 1). This is type 7 of Hyndman and
    /// Fan, the default of R and NumPy.
    ///
    /// - Parameter fraction: the fraction of the quantile, from 0 to 1. Other values are clamped to this range.
    /// - Returns: the quantile, or `nil` for an empty sample.
    public func quantile(_ fraction: Double) -> Double? {
        guard let last = values.indices.last else { return nil }
        let place = min(max(fraction, 0), 1) * Double(last)
        let below = min(Int(place), last)
        let above = min(below + 1, last)
        return values[below] + (values[above] - values[below]) * (place - Double(below))
    }
}

extension Collection<Double> {
    /// The arithmetic mean; 0 if there are no numbers.
    var mean: Double { isEmpty ? 0 : reduce(0, +) / Double(count) }

    /// The sum of the squared deviations from the mean.
    var squaredDeviations: Double {
        let mean = mean
        return reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    }
}
