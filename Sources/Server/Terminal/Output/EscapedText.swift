/// Text in which control characters are escaped, for lines that a terminal shows.
public enum EscapedText {
    /// Returns the text with its control characters and line separators escaped, for example as `\n` or `\u{1b}`.
    ///
    /// - Parameter isQuoted: whether quotation marks and backslashes are escaped, too.
    public static func escaping(_ text: String, isQuoted: Bool = false) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\"" where isQuoted, "\\" where isQuoted: result += "\\" + String(scalar)
            case _ where isControl(scalar): result += "\\u{\(String(scalar.value, radix: 16))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.generalCategory == .control || scalar == "\u{2028}" || scalar == "\u{2029}"
    }
}
