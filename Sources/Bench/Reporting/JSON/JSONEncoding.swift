extension JSONText {
    /// Makes the JSON of a value.
    ///
    /// - Throws: `EncodingError` for an integer that a reader of JSON would round.
    public init(encoding value: some Encodable) throws {
        let encoder = JSONEncoding(codingPath: [])
        try encoder.write(value)
        self = encoder.result
    }
}

/// Collects what a value writes of itself: one object for each value, which its containers fill.
final class JSONEncoding: Encoder {
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    private enum Content {
        case scalar(JSONText)
        case array([JSONEncoding])
        case object([(String, JSONEncoding)])
    }

    private var content = Content.scalar(.number(nil))

    init(codingPath: [any CodingKey]) { self.codingPath = codingPath }

    var result: JSONText {
        switch content {
        case .scalar(let value): value
        case .array(let values): .array(values.map(\.result))
        case .object(let members): .object(members.map { ($0.0, $0.1.result) })
        }
    }

    func write(_ value: some Encodable) throws {
        switch value {
        case let value as Bool: content = .scalar(.truth(value))
        case let value as String: content = .scalar(.text(value))
        case let value as Double: content = .scalar(.number(value))
        case let value as Float: content = .scalar(.number(Double(value)))
        case let value as any BinaryInteger: content = .scalar(.number(try number(value)))
        default: try value.encode(to: self)
        }
    }

    func writeNull() { content = .scalar(.number(nil)) }

    func beginArray() { if case .array = content {} else { content = .array([]) } }

    func beginObject() { if case .object = content {} else { content = .object([]) } }

    /// A new last element.
    func element() -> JSONEncoding {
        guard case .array(var values) = content else { return JSONEncoding(codingPath: codingPath) }
        let child = JSONEncoding(codingPath: codingPath)
        content = .array([])  // the array is not copied while it grows
        values.append(child)
        content = .array(values)
        return child
    }

    /// A new last member.
    func member(_ key: any CodingKey) -> JSONEncoding {
        guard case .object(var members) = content else { return JSONEncoding(codingPath: codingPath) }
        let child = JSONEncoding(codingPath: codingPath + [key])
        content = .object([])
        members.append((key.stringValue, child))
        content = .object(members)
        return child
    }

    var elementCount: Int {
        guard case .array(let values) = content else { return 0 }
        return values.count
    }

    private func number(_ integer: any BinaryInteger) throws -> Double {
        func exactly(_ integer: some BinaryInteger) -> Double? { Double(exactly: integer) }
        guard let number = exactly(integer) else {
            throw EncodingError.invalidValue(
                integer, EncodingError.Context(codingPath: codingPath, debugDescription: "\(integer) would be rounded"))
        }
        return number
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        beginObject()
        return KeyedEncodingContainer(JSONMembers<Key>(encoder: self))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        beginArray()
        return JSONElements(encoder: self)
    }

    func singleValueContainer() -> any SingleValueEncodingContainer { JSONSingle(encoder: self) }
}

private struct JSONSingle: SingleValueEncodingContainer {
    let encoder: JSONEncoding
    var codingPath: [any CodingKey] { encoder.codingPath }

    mutating func encodeNil() { encoder.writeNull() }
    mutating func encode<Value: Encodable>(_ value: Value) throws { try encoder.write(value) }
}

private struct JSONElements: UnkeyedEncodingContainer {
    let encoder: JSONEncoding
    var codingPath: [any CodingKey] { encoder.codingPath }
    var count: Int { encoder.elementCount }

    mutating func encodeNil() { encoder.element().writeNull() }
    mutating func encode<Value: Encodable>(_ value: Value) throws { try encoder.element().write(value) }

    mutating func nestedContainer<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        encoder.element().container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { encoder.element().unkeyedContainer() }
    mutating func superEncoder() -> any Encoder { encoder.element() }
}

private struct JSONMembers<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let encoder: JSONEncoding
    var codingPath: [any CodingKey] { encoder.codingPath }

    mutating func encodeNil(forKey key: Key) { encoder.member(key).writeNull() }
    mutating func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
        try encoder.member(key).write(value)
    }

    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> { encoder.member(key).container(keyedBy: type) }

    mutating func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        encoder.member(key).unkeyedContainer()
    }

    mutating func superEncoder() -> any Encoder { encoder }
    mutating func superEncoder(forKey key: Key) -> any Encoder { encoder.member(key) }
}
