internal import ArgumentParser

/// Checks that a number on the command line is in its valid range.
public enum ValidRange {
    /// Throws an error if the number is outside the range.
    ///
    /// - Throws: `ValidationError`, whose message contains the option, the range and the number.
    public static func check(_ value: Int, _ range: ClosedRange<Int>, _ option: String) throws {
        guard range.contains(value) else {
            let limits =
                range.upperBound == .max
                ? "at least \(range.lowerBound)" : "between \(range.lowerBound) and \(range.upperBound)"
            throw ValidationError("\(option) must be \(limits) (got \(value))")
        }
    }

    /// Throws an error if the number is outside the range, or is not a number (NaN).
    ///
    /// - Throws: `ValidationError`, whose message contains the option, the range and the number.
    public static func check(_ value: Double, _ range: ClosedRange<Double>, _ option: String) throws {
        guard range.contains(value) else {
            let limits = [range.lowerBound, range.upperBound].map { limit in
                Int(exactly: limit).map { "\($0)" } ?? "\(limit)"
            }
            throw ValidationError("\(option) must be between \(limits[0]) and \(limits[1]) (got \(value))")
        }
    }
}
