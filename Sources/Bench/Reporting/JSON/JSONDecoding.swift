extension JSONText {
    /// Reads a value back.
    ///
    /// Members that the value does not know are ignored; those that it may lack may be missing.
    ///
    /// - Throws: `DecodingError`, with the place, for what is missing or of the wrong kind.
    public func decoded<Value: Decodable>(as type: Value.Type) throws -> Value {
        try JSONDecoding(self, codingPath: []).read(type)
    }
}

/// Hands a value to what reads itself from it.
struct JSONDecoding: Decoder {
    let value: JSONText
    let codingPath: [any CodingKey]
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    init(_ value: JSONText, codingPath: [any CodingKey]) {
        self.value = value
        self.codingPath = codingPath
    }

    var isNull: Bool {
        if case .number(nil) = value { return true }
        return false
    }

    func read<Value: Decodable>(_ type: Value.Type) throws -> Value {
        if let scalar = try scalar(type) {
            guard let scalar = scalar as? Value else { throw mismatch(type) }
            return scalar
        }
        return try Value(from: self)
    }

    /// The value as one of the types that JSON knows; `nil` where the type reads itself.
    private func scalar(_ type: any Decodable.Type) throws -> Any? {
        if type == Bool.self {
            guard case .truth(let value) = value else { throw mismatch(type) }
            return value
        }
        if type == String.self {
            guard case .text(let value) = value else { throw mismatch(type) }
            return value
        }
        if type == Double.self { return try number(type) }
        if type == Float.self { return Float(try number(type)) }
        if let integer = type as? any FixedWidthInteger.Type {
            guard let value = JSONDecoding.exactly(try number(type), integer) else { throw mismatch(type) }
            return value
        }
        return nil
    }

    private func number(_ type: any Decodable.Type) throws -> Double {
        guard case .number(let number?) = value else { throw mismatch(type) }
        return number
    }

    private static func exactly<Integer: FixedWidthInteger>(_ number: Double, _ type: Integer.Type) -> Any? {
        Integer(exactly: number)
    }

    private func mismatch(_ type: Any.Type) -> DecodingError {
        .typeMismatch(type, DecodingError.Context(codingPath: codingPath, debugDescription: "no \(type)"))
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .object(let members) = value else { throw mismatch([String: JSONText].self) }
        let byName = Dictionary(members, uniquingKeysWith: { $1 })
        return KeyedDecodingContainer(JSONMembersReader<Key>(members: byName, codingPath: codingPath))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .array(let values) = value else { throw mismatch([JSONText].self) }
        return JSONElementsReader(values: values, codingPath: codingPath)
    }

    func singleValueContainer() -> any SingleValueDecodingContainer { JSONSingleReader(decoder: self) }
}

private struct JSONSingleReader: SingleValueDecodingContainer {
    let decoder: JSONDecoding
    var codingPath: [any CodingKey] { decoder.codingPath }

    func decodeNil() -> Bool { decoder.isNull }
    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try decoder.read(type) }
}

private struct JSONElementsReader: UnkeyedDecodingContainer {
    let values: [JSONText]
    let codingPath: [any CodingKey]
    private(set) var currentIndex = 0
    var count: Int? { values.count }
    var isAtEnd: Bool { currentIndex >= values.count }

    init(values: [JSONText], codingPath: [any CodingKey]) {
        self.values = values
        self.codingPath = codingPath
    }

    mutating func decodeNil() throws -> Bool {
        guard !isAtEnd, JSONDecoding(values[currentIndex], codingPath: codingPath).isNull else { return false }
        currentIndex += 1
        return true
    }

    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value {
        let value = try next().read(type)
        currentIndex += 1
        return value
    }

    mutating func nestedContainer<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        let container = try next().container(keyedBy: type)
        currentIndex += 1
        return container
    }

    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        let container = try next().unkeyedContainer()
        currentIndex += 1
        return container
    }

    mutating func superDecoder() throws -> any Decoder {
        let decoder = try next()
        currentIndex += 1
        return decoder
    }

    private func next() throws -> JSONDecoding {
        guard !isAtEnd else {
            throw DecodingError.valueNotFound(
                JSONText.self, DecodingError.Context(codingPath: codingPath, debugDescription: "the array ends here"))
        }
        return JSONDecoding(values[currentIndex], codingPath: codingPath)
    }
}

private struct JSONMembersReader<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let members: [String: JSONText]
    let codingPath: [any CodingKey]
    var allKeys: [Key] { members.keys.compactMap(Key.init(stringValue:)) }

    func contains(_ key: Key) -> Bool { members[key.stringValue] != nil }
    func decodeNil(forKey key: Key) throws -> Bool { try member(key).isNull }
    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value { try member(key).read(type) }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> { try member(key).container(keyedBy: type) }

    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try member(key).unkeyedContainer()
    }

    func superDecoder() throws -> any Decoder { JSONDecoding(.object(Array(members)), codingPath: codingPath) }
    func superDecoder(forKey key: Key) throws -> any Decoder { try member(key) }

    private func member(_ key: Key) throws -> JSONDecoding {
        guard let value = members[key.stringValue] else {
            throw DecodingError.keyNotFound(
                key, DecodingError.Context(codingPath: codingPath, debugDescription: "\(key.stringValue) is missing"))
        }
        return JSONDecoding(value, codingPath: codingPath + [key])
    }
}
