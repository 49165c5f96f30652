/// A JSON object whose members can have different types.
///
/// Members that are `nil` are omitted.
public struct JSONObject: Encodable, ExpressibleByDictionaryLiteral {
    private struct Member: Encodable {
        let value: any Encodable

        func encode(to encoder: any Encoder) throws { try value.encode(to: encoder) }
    }

    private let members: [String: Member]

    /// Makes an object from its members.
    public init(dictionaryLiteral members: (String, (any Encodable)?)...) {
        self.members = Dictionary(
            uniqueKeysWithValues: members.compactMap { key, value in value.map { (key, Member(value: $0)) } })
    }

    /// Writes the members.
    public func encode(to encoder: any Encoder) throws { try members.encode(to: encoder) }
}
