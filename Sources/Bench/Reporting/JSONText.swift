import RealModule

/// A value that is written as JSON.
public enum JSONText: Sendable {
    /// A string.
    case text(String)
    /// A number; `null` where there is none, or none that JSON can write.
    case number(Double?)
    /// True or false.
    case truth(Bool)
    /// Values in their order.
    case array([JSONText])
    /// Names and values in their order.
    case object([(String, JSONText)])

    /// The text, indented by two spaces.
    public var text: String { lines(indent: "") }

    /// The text without any space.
    public var compactText: String {
        switch self {
        case .array(let values): "[" + values.map(\.compactText).joined(separator: ",") + "]"
        case .object(let values):
            "{" + values.map { JSONText.quoted($0.0) + ":" + $0.1.compactText }.joined(separator: ",") + "}"
        default: text
        }
    }

    /// The value with its numbers rounded to so many significant digits; whole numbers stay as they are.
    func rounded(digits: Int) -> JSONText {
        switch self {
        case .number(let number?) where Int(exactly: number) == nil:
            .number(JSONText.rounded(number, digits: digits))
        case .array(let values): .array(values.map { $0.rounded(digits: digits) })
        case .object(let members): .object(members.map { ($0.0, $0.1.rounded(digits: digits)) })
        default: self
        }
    }

    private static func rounded(_ number: Double, digits: Int) -> Double {
        guard number.isFinite, number != 0 else { return number }
        let power = digits - 1 - Int(Double.log10(number.magnitude).rounded(.down))
        guard power.magnitude < 300 else { return number }
        let unit = Double.pow(10, Int(power.magnitude))
        return power < 0 ? (number / unit).rounded() * unit : (number * unit).rounded() / unit
    }

    private func lines(indent: String) -> String {
        let inner = indent + "  "
        switch self {
        case .text(let text): return JSONText.quoted(text)
        case .number(let value):
            guard let value, value.isFinite else { return "null" }
            if let whole = Int(exactly: value) { return "\(whole)" }
            return "\(value)"
        case .truth(let value): return value ? "true" : "false"
        case .array(let values):
            if values.isEmpty { return "[]" }
            let parts = values.map { inner + $0.lines(indent: inner) }
            return "[\n\(parts.joined(separator: ",\n"))\n\(indent)]"
        case .object(let values):
            if values.isEmpty { return "{}" }
            let parts = values.map { "\(inner)\(JSONText.quoted($0.0)): \($0.1.lines(indent: inner))" }
            return "{\n\(parts.joined(separator: ",\n"))\n\(indent)}"
        }
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": quoted += "\\\""
            case "\\": quoted += "\\\\"
            case "\n": quoted += "\\n"
            // JSON asks for the first 32 only; a terminal obeys the others as well.
            case _ where scalar.properties.generalCategory == .control:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
