internal import ArgumentParser

/// Checks a number on the command line against its range.
public enum ValidRange {
    /// Checks the number.
    ///
    /// - Throws: `ValidationError` with the option, the range and the number.
    public static func check(_ value: Int, _ range: ClosedRange<Int>, _ option: String) throws {
        guard range.contains(value) else {
            let limits =
                range.upperBound == .max
                ? "at least \(range.lowerBound)" : "between \(range.lowerBound) and \(range.upperBound)"
            throw ValidationError("\(option) must be \(limits) (got \(value))")
        }
    }
}
