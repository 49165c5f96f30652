import Logging
import Terminal

extension LoggedEvent {
    /// The event as one line of text, in the form `TIME LEVEL LABEL: MESSAGE KEY=VALUE...`.
    ///
    /// Control characters are escaped, for example as `\n` or `\u{1b}`. Therefore an event is always one line, and its
    /// text cannot control a terminal. A value is quoted unless it is a single word.
    var textLine: String {
        let pairs = metadata.sorted { $0.key < $1.key }
            .map { " \(LoggedEvent.word($0.key))=\(LoggedEvent.word(LoggedEvent.plain($0.value)))" }
        return "\(time) \(level) \(LoggedEvent.escaped(label)): \(LoggedEvent.escaped(message))\(pairs.joined())\n"
    }

    /// Returns a metadata value as text.
    ///
    /// Only values inside an array or a dictionary are quoted here.
    private static func plain(_ value: Logger.MetadataValue) -> String {
        switch value {
        case .string(let text): text
        case .stringConvertible(let value): "\(value)"
        case .array(let values): "[" + values.map { word(plain($0)) }.joined(separator: ",") + "]"
        case .dictionary(let values):
            "{"
                + values.sorted { $0.key < $1.key }.map { "\(word($0.key)):\(word(plain($0.value)))" }
                .joined(separator: ",") + "}"
        }
    }

    private static func word(_ text: String) -> String {
        let isWord =
            !text.isEmpty && text.unicodeScalars.allSatisfy { $0 > " " && $0 != "=" && $0 != "\"" && $0 != "\\" }
        return isWord ? escaped(text) : "\"" + escaped(text, isQuoted: true) + "\""
    }

    private static func escaped(_ text: String, isQuoted: Bool = false) -> String {
        EscapedText.escaping(text, isQuoted: isQuoted)
    }
}
