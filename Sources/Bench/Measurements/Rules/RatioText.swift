/// Formats ratios.
public enum RatioText {
    /// Returns a ratio with its interval, for example `1.01 [0.95, 1.08]`, or `1.01 [n/a]` if it has no interval.
    public static func text(_ ratio: BlockEstimate) -> String { "\(number(ratio.value)) \(interval(ratio.interval))" }

    /// Returns an interval, for example `[0.95, 1.08]`.
    public static func interval(_ interval: Interval?) -> String {
        guard let interval else { return "[n/a]" }
        return "[\(number(interval.lower)), \(number(interval.upper))]"
    }

    /// Returns a ratio with two digits after the point.
    public static func number(_ number: Double) -> String { DecimalText.fixed(number, places: 2) }
}
