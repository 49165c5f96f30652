/// A value that is written as JSON.
public enum JSONText: Sendable {
    /// A string.
    case text(String)
    /// A number; `null` where there is none, or none that JSON can write.
    case number(Double?)
    /// Values in their order.
    case array([JSONText])
    /// Names and values in their order.
    case object([(String, JSONText)])

    /// The text, indented by two spaces.
    public var text: String { lines(indent: "") }

    private func lines(indent: String) -> String {
        let inner = indent + "  "
        switch self {
        case .text(let text): return JSONText.quoted(text)
        case .number(let value):
            guard let value, value.isFinite else { return "null" }
            if let whole = Int(exactly: value) { return "\(whole)" }
            return "\(value)"
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
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
