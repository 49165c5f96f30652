import Logging

extension LoggedEvent {
    /// The event as a JSON object on one line: `time`, `level`, `label`, `message`, then the metadata, sorted by key.
    ///
    /// A metadata key that equals one of these names gets the prefix `metadata.`, repeated until the name is unique.
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

    /// A metadata value as a JSON string, or as a tree with strings as its leaves.
    private static func json(_ value: Logger.MetadataValue) -> String {
        switch value {
        case .string(let text): quoted(text)
        case .stringConvertible(let value): quoted("\(value)")
        case .array(let values): "[" + values.map(json).joined(separator: ",") + "]"
        case .dictionary(let values): object(values.sorted { $0.key < $1.key }.map { ($0.key, json($0.value)) })
        }
    }

    /// A JSON object without spaces; its values are JSON already.
    private static func object(_ members: [(String, String)]) -> String {
        "{" + members.map { quoted($0) + ":" + $1 }.joined(separator: ",") + "}"
    }

    private static func quoted(_ text: String) -> String {
        var quoted = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": quoted += "\\" + String(scalar)
            case "\n": quoted += "\\n"
            // JSON requires the escape only below U+0020, but a terminal also obeys the other control characters.
            case _ where scalar.properties.generalCategory == .control:
                let digits = String(scalar.value, radix: 16)
                quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: quoted.unicodeScalars.append(scalar)
            }
        }
        return quoted + "\""
    }
}
