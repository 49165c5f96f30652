/// Numbers in ascending order, and what their order tells.
public struct OrderedSample: Sendable {
    /// The numbers, the smallest first.
    public let values: [Double]

    /// Sorts a sample; what is not a number is left out.
    public init(_ values: [Double]) { self.values = values.filter { !$0.isNaN }.sorted() }

    /// The number in the middle, or the mean of the two; `nil` for an empty sample.
    public var median: Double? { quantile(0.5) }

    /// A quantile, by linear interpolation between neighbours: the k-th of n numbers is the quantile (k - 1) / (n - 1).
    ///
    /// This is type 7 of Hyndman and Fan, the default of R and NumPy.
    ///
    /// - Parameter fraction: from 0 to 1; what is beyond counts as the nearest of them.
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
    /// The arithmetic mean; 0 for nothing.
    var mean: Double { isEmpty ? 0 : reduce(0, +) / Double(count) }

    /// The sum of the squared distances from the mean.
    var squaredDeviations: Double {
        let mean = mean
        return reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    }
}
