internal import FoundationEssentials

/// Writes results as JSON, with sorted keys, and reads them back.
public enum JSONFormat {
    /// The strings for the numbers that JSON cannot represent.
    private static let (infinity, negativeInfinity, nan) = ("Infinity", "-Infinity", "NaN")

    /// Returns the JSON of a value.
    ///
    /// - Throws: `ReportError` if the value cannot be encoded.
    public static func text(of value: some Encodable, isIndented: Bool = false) throws(ReportError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        if isIndented { encoder.outputFormatting.insert(.prettyPrinted) }
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: infinity, negativeInfinity: negativeInfinity, nan: nan)
        do { return String(decoding: try encoder.encode(value), as: UTF8.self) } catch {
            throw ReportError(description: "cannot write JSON: \(error)")
        }
    }

    /// Reads a value from its JSON.
    ///
    /// Unknown keys are ignored.
    ///
    /// - Throws: `ReportError` if the text is not JSON, or if a key is missing or has a value of the wrong type. The
    ///   error names the key.
    public static func value<Value: Decodable>(
        _ type: Value.Type, from text: String
    ) throws(ReportError) -> Value {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: infinity, negativeInfinity: negativeInfinity, nan: nan)
        do { return try decoder.decode(type, from: Data(text.utf8)) } catch {
            throw ReportError(description: reason(error))
        }
    }

    private static func reason(_ error: any Error) -> String {
        func place(_ path: [any CodingKey]) -> String {
            path.map { key in key.intValue.map { "[\($0)]" } ?? ".\(key.stringValue)" }.joined().trimmingPrefix(".")
                .description
        }
        switch error as? DecodingError {
        case .keyNotFound(let key, let context): return "'\(place(context.codingPath + [key]))' is missing"
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            let path = place(context.codingPath)
            return path.isEmpty ? context.debugDescription : "'\(path)': \(context.debugDescription)"
        case .dataCorrupted(let context) where context.codingPath.isEmpty: return "not valid JSON"
        case .dataCorrupted(let context): return "'\(place(context.codingPath))': \(context.debugDescription)"
        default: return "\(error)"
        }
    }

    /// Escapes JSON for a `script` element, so that the JSON cannot end the element.
    ///
    /// Escaping `<` excludes both `</script>` and `<!--`. U+2028 and U+2029 are escaped because they end a line in
    /// older JavaScript.
    static func embeddable(_ json: String) -> String {
        var escaped = ""
        for scalar in json.unicodeScalars {
            switch scalar {
            case "<": escaped += "\\u003c"
            case "\u{2028}": escaped += "\\u2028"
            case "\u{2029}": escaped += "\\u2029"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}
