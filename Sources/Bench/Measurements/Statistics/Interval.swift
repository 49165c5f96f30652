/// A closed range of numbers that covers an unknown one with a stated confidence; encoded as its two ends.
public struct Interval: Hashable, Codable, Sendable {
    /// The lower end.
    public var lower: Double
    /// The upper end.
    public var upper: Double

    /// Makes an interval; ends in the wrong order are exchanged.
    public init(_ lower: Double, _ upper: Double) {
        self.lower = min(lower, upper)
        self.upper = max(lower, upper)
    }

    /// Whether a number lies in the interval, its ends included.
    public func contains(_ number: Double) -> Bool { lower <= number && number <= upper }

    /// Whether this interval lies in another one, common ends included.
    public func isWithin(_ other: Interval) -> Bool { other.lower <= lower && upper <= other.upper }

    /// The interval of what an increasing function makes of the number.
    public func mapped(_ function: (Double) -> Double) -> Interval { Interval(function(lower), function(upper)) }

    /// Reads the two ends.
    public init(from decoder: any Decoder) throws {
        var ends = try decoder.unkeyedContainer()
        self.init(try ends.decode(Double.self), try ends.decode(Double.self))
    }

    /// Writes the two ends.
    public func encode(to encoder: any Encoder) throws {
        var ends = encoder.unkeyedContainer()
        try ends.encode(lower)
        try ends.encode(upper)
    }
}
