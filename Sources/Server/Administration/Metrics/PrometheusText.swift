/// Writes metrics in Prometheus' text format, version 0.0.4.
///
/// The text is well formed for any names and labels. Metrics are sorted by name.
public enum PrometheusText {
    /// The media type of the text.
    public static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// Returns the text for metrics.
    public static func text(of families: [MetricFamily]) -> String {
        var text = ""
        for family in families.sorted(by: { $0.name < $1.name }) { write(family, to: &text) }
        return text
    }

    private static func write(_ family: MetricFamily, to text: inout String) {
        let name = identifier(family.name, allowing: ":")
        text += "# HELP \(name) \(escaped(family.help, quotes: false))\n# TYPE \(name) \(family.kind)\n"
        for sample in family.samples {
            text += "\(name)\(sample.suffix)\(labels(sample.labels)) \(number(sample.value))\n"
        }
    }

    private static func labels(_ labels: [(name: String, value: String)]) -> String {
        if labels.isEmpty { return "" }
        let parts = labels.map { "\(identifier($0.name, allowing: "_"))=\"\(escaped($0.value, quotes: true))\"" }
        return "{\(parts.joined(separator: ","))}"
    }

    /// Returns a name with its invalid characters replaced by underscores.
    private static func identifier(_ name: String, allowing mark: Unicode.Scalar) -> String {
        let letters: ClosedRange<Unicode.Scalar> = "a"..."z"
        let capitals: ClosedRange<Unicode.Scalar> = "A"..."Z"
        let digits: ClosedRange<Unicode.Scalar> = "0"..."9"
        var result = String.UnicodeScalarView()
        for scalar in name.unicodeScalars {
            let isLetter = letters.contains(scalar) || capitals.contains(scalar) || scalar == mark
            result.append(isLetter || (digits.contains(scalar) && !result.isEmpty) ? scalar : "_")
        }
        return result.isEmpty ? "_" : String(result)
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result.append(contentsOf: "\\\\".unicodeScalars)
            case "\n": result.append(contentsOf: "\\n".unicodeScalars)
            case "\"" where quotes: result.append(contentsOf: "\\\"".unicodeScalars)
            default: result.append(scalar)
            }
        }
        return String(result)
    }

    /// Returns a number in Go's syntax; a whole number has no decimal point.
    static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        if let whole = Int64(exactly: value), whole.magnitude < 1 << 53 { return String(whole) }
        return "\(value)"
    }
}
