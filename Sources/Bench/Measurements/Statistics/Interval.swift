/// A confidence interval, encoded as an array of its two ends.
public struct Interval: Hashable, Codable, Sendable {
    /// The lower end.
    public var lower: Double
    /// The upper end.
    public var upper: Double

    /// Makes an interval.
    ///
    /// Ends in the wrong order are swapped.
    public init(_ lower: Double, _ upper: Double) {
        self.lower = min(lower, upper)
        self.upper = max(lower, upper)
    }

    /// Returns whether a number is in the interval, including its ends.
    public func contains(_ number: Double) -> Bool { lower <= number && number <= upper }

    /// Returns whether this interval is within another one.
    ///
    /// The two intervals may share an end.
    public func isWithin(_ other: Interval) -> Bool { other.lower <= lower && upper <= other.upper }

    /// Returns the interval after applying an increasing function to both ends.
    public func mapped(_ function: (Double) -> Double) -> Interval { Interval(function(lower), function(upper)) }

    /// Reads the interval from an array of its two ends.
    public init(from decoder: any Decoder) throws {
        let ends = try SIMD2<Double>(from: decoder)
        self.init(ends.x, ends.y)
    }

    /// Writes the interval as an array of its two ends.
    public func encode(to encoder: any Encoder) throws { try SIMD2(lower, upper).encode(to: encoder) }
}
