/// Parses durations, for example `50us`, `500ms`, `5s` or `1m`.
enum DurationText {
    /// The maximum duration, one day, in seconds.
    static let maxSeconds = 86_400.0

    /// Returns the duration, or `nil` if the number or the unit is invalid, or if the duration exceeds one day.
    ///
    /// A plain number means seconds.
    static func parse(_ text: String) -> Duration? {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard let number = Double(digits) else { return nil }
        let seconds: Double
        switch text.dropFirst(digits.count) {
        case "us": seconds = number / 1_000_000
        case "ms": seconds = number / 1000
        case "s", "": seconds = number
        case "m": seconds = number * 60
        default: return nil
        }
        return (0...maxSeconds).contains(seconds) ? .seconds(seconds) : nil
    }
}
