import Logging

extension LoggedEvent {
    /// The event as a JSON object on one line: `time`, `level`, `label`, `message`, then the metadata, sorted by key.
    ///
    /// A metadata key that equals one of these names gets the prefix `metadata.`, repeated until the name is unique.
    var jsonLine: String {
        var members: [(String, JSONValue)] = [
            ("time", .string(time)), ("level", .string(level.rawValue)), ("label", .string(label)),
            ("message", .string(message)),
        ]
        let ours = Set(members.map(\.0))
        for (key, value) in metadata.sorted(by: { $0.key < $1.key }) {
            var name = key
            if ours.contains(key) {
                repeat { name = "metadata." + name } while metadata[name] != nil
            }
            members.append((name, JSONValue(value)))
        }
        return JSONValue.object(members).text + "\n"
    }
}

extension JSONValue {
    /// Converts a metadata value to text, or to a tree with text as its leaves.
    fileprivate init(_ value: Logger.MetadataValue) {
        switch value {
        case .string(let text): self = .string(text)
        case .stringConvertible(let value): self = .string("\(value)")
        case .array(let values): self = .array(values.map { JSONValue($0) })
        case .dictionary(let values):
            self = .object(values.sorted { $0.key < $1.key }.map { ($0.key, JSONValue($0.value)) })
        }
    }
}
