/// Formats numbers with a fixed number of digits after the point.
public enum DecimalText {
    /// Returns the number with a fixed number of digits after the point, rounded to nearest (halves away from zero).
    ///
    /// Numbers with more than 18 digits, infinities and NaN are written in Swift's own format.
    public static func fixed(_ value: Double, places: Int) -> String {
        let places = min(max(places, 0), 15)
        var unit = 1.0
        for _ in 0..<places { unit *= 10 }
        guard let scaled = Int64(exactly: (value.magnitude * unit).rounded()), scaled < 1_000_000_000_000_000_000 else {
            return "\(value)"
        }
        let sign = value < 0 && scaled > 0 ? "-" : ""
        guard places > 0 else { return sign + String(scaled) }
        let digits = String(scaled)
        let padded = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
        return "\(sign)\(padded.dropLast(places)).\(padded.suffix(places))"
    }

    /// Returns the number in the format of `fixed`, without the trailing zeros of its fraction.
    public static func trimmed(_ value: Double, places: Int) -> String {
        var text = Substring(fixed(value, places: places))
        guard text.contains(".") else { return String(text) }
        while text.last == "0" { text.removeLast() }
        if text.last == "." { text.removeLast() }
        return String(text)
    }
}
