/// A sorted sample and its quantiles.
public struct OrderedSample: Sendable {
    /// The numbers in ascending order.
    public let values: [Double]

    /// Sorts a sample; NaN is dropped.
    public init(_ values: [Double]) { self.values = values.filter { !$0.isNaN }.sorted() }

    /// The median; `nil` for an empty sample.
    public var median: Double? { quantile(0.5) }

    /// Returns a quantile by linear interpolation: the k-th of n numbers is the quantile (k - 1) / (n - 1).
    ///
    /// This is type 7 of Hyndman and Fan, the default of R and NumPy.
    ///
    /// - Parameter fraction: from 0 to 1; other values are clamped.
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
    /// The arithmetic mean; 0 if empty.
    var mean: Double { isEmpty ? 0 : reduce(0, +) / Double(count) }

    /// The sum of the squared distances from the mean.
    var squaredDeviations: Double {
        let mean = mean
        return reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    }
}
