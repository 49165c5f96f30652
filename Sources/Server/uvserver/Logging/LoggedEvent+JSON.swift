import Logging

extension LoggedEvent {
    /// An object on a line of its own: `time`, `level`, `label`, `message`, then the metadata in the order of their keys.
    ///
    /// A key of the metadata that is one of these gets the prefix `metadata.`, as often as it takes to be unique.
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
    /// A value of the metadata: text, or a tree whose leaves are text.
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
