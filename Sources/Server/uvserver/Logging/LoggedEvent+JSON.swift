import Logging

extension LoggedEvent {
    /// The event as a JSON object on one line.
    ///
    /// The first members are `time`, `level`, `label` and `message`. The metadata follows, sorted by key. A metadata
    /// key that equals one of these four names gets the prefix `metadata.`, which is repeated until the key is unique.
    var jsonLine: String {
        let fixed = [("time", time), ("level", level.rawValue), ("label", label), ("message", message)]
        let own = metadata.sorted { $0.key < $1.key }.map { key, value in
            var name = key
            if fixed.contains(where: { $0.0 == key }) {
                repeat { name = "metadata." + name } while metadata[name] != nil
            }
            return (name, LoggedEvent.json(value))
        }
        return LoggedEvent.object(fixed.map { ($0, LoggedEvent.quoted($1)) } + own) + "\n"
    }

    /// Returns a metadata value as JSON.
    ///
    /// An array stays an array, and a dictionary becomes an object. Every other value becomes a string.
    private static func json(_ value: Logger.MetadataValue) -> String {
        switch value {
        case .string(let text): quoted(text)
        case .stringConvertible(let value): quoted("\(value)")
        case .array(let values): "[" + values.map(json).joined(separator: ",") + "]"
        case .dictionary(let values): object(values.sorted { $0.key < $1.key }.map { ($0.key, json($0.value)) })
        }
    }

    /// Returns a JSON object without spaces.
    ///
    /// The given values must be valid JSON.
    private static func object(_ members: [(String, String)]) -> String {
        "{" + members.map { quoted($0) + ":" + $1 }.joined(separator: ",") + "}"
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\" + String(scalar)
            case "\n": quoted += "\\n"
            // JSON requires this escape only for characters below U+0020. The other control characters are escaped
            // because a terminal interprets them.
            case _ where scalar.properties.generalCategory == .control:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
