/// Why a text is not JSON, and where.
public struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    /// How many bytes come before the place.
    public let offset: Int
    /// What is wrong there.
    public let reason: String

    /// The reason, and the place.
    public var description: String { "\(reason) at byte \(offset)" }
}

extension JSONText {
    /// Reads a text (RFC 8259).
    ///
    /// - Throws: `JSONError` for what is not JSON, for what goes deeper than 100 levels, and for a number beyond `Double`.
    public init(parsing text: String) throws(JSONError) {
        var reader = JSONReader(text)
        self = try reader.document()
    }
}

/// Reads JSON byte by byte; nothing in it, however malformed or deep, can trap.
struct JSONReader {
    private static let maxDepth = 100

    private let bytes: [UInt8]
    private var place = 0

    init(_ text: String) { bytes = [UInt8](text.utf8) }

    mutating func document() throws(JSONError) -> JSONText {
        let value = try value(depth: 0)
        skipSpace()
        guard place == bytes.count else { throw failure("there is more after the value") }
        return value
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONText {
        guard depth < JSONReader.maxDepth else { throw failure("values are nested too deeply") }
        skipSpace()
        switch next {
        case UInt8(ascii: "{"): return .object(try object(depth: depth))
        case UInt8(ascii: "["): return .array(try array(depth: depth))
        case UInt8(ascii: "\""): return .text(try string())
        case UInt8(ascii: "t"): return try word("true", .truth(true))
        case UInt8(ascii: "f"): return try word("false", .truth(false))
        case UInt8(ascii: "n"): return try word("null", .number(nil))
        default: return .number(try number())
        }
    }

    private mutating func object(depth: Int) throws(JSONError) -> [(String, JSONText)] {
        var members: [(String, JSONText)] = []
        place += 1
        if take("}") { return members }
        repeat {
            skipSpace()
            guard next == UInt8(ascii: "\"") else { throw failure("a name in quotes is missing") }
            let name = try string()
            guard take(":") else { throw failure("a colon is missing") }
            members.append((name, try value(depth: depth + 1)))
        } while take(",")
        guard take("}") else { throw failure("an object does not end") }
        return members
    }

    private mutating func array(depth: Int) throws(JSONError) -> [JSONText] {
        var values: [JSONText] = []
        place += 1
        if take("]") { return values }
        repeat { values.append(try value(depth: depth + 1)) } while take(",")
        guard take("]") else { throw failure("an array does not end") }
        return values
    }

    private mutating func string() throws(JSONError) -> String {
        var content: [UInt8] = []
        place += 1
        while let byte = next, byte != UInt8(ascii: "\"") {
            guard byte >= 0x20 else { throw failure("a control character stands in a string") }
            place += 1
            if byte == UInt8(ascii: "\\") {
                content += [UInt8](String(try escape()).utf8)
            } else {
                content.append(byte)
            }
        }
        guard next != nil else { throw failure("a string does not end") }
        place += 1
        return String(decoding: content, as: UTF8.self)
    }

    private mutating func escape() throws(JSONError) -> Character {
        guard let byte = next else { throw failure("a string does not end") }
        place += 1
        switch byte {
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Character(Unicode.Scalar(byte))
        case UInt8(ascii: "u"): return try scalar()
        default: throw failure("an unknown character is escaped")
        }
    }

    private mutating func scalar() throws(JSONError) -> Character {
        let first = try fourDigits()
        if let scalar = Unicode.Scalar(first) { return Character(scalar) }
        guard first < 0xDC00, next == UInt8(ascii: "\\") else { throw failure("half of a pair of surrogates") }
        place += 1
        guard next == UInt8(ascii: "u") else { throw failure("half of a pair of surrogates") }
        place += 1
        let second = try fourDigits()
        guard (0xDC00..<0xE000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw failure("half of a pair of surrogates") }
        return Character(scalar)
    }

    private mutating func fourDigits() throws(JSONError) -> UInt32 {
        let digits = bytes[place...].prefix(4)
        guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let number = UInt32(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw failure("four hexadecimal digits are missing") }
        place += 4
        return number
    }

    private mutating func number() throws(JSONError) -> Double {
        let start = place
        if next == UInt8(ascii: "-") { place += 1 }
        let whole = digits()
        guard whole > 0, whole == 1 || bytes[place - whole] != UInt8(ascii: "0") else {
            throw failure("a value is missing")
        }
        if next == UInt8(ascii: ".") {
            place += 1
            guard digits() > 0 else { throw failure("a digit is missing") }
        }
        if next == UInt8(ascii: "e") || next == UInt8(ascii: "E") {
            place += 1
            if next == UInt8(ascii: "+") || next == UInt8(ascii: "-") { place += 1 }
            guard digits() > 0 else { throw failure("a digit is missing") }
        }
        guard let number = Double(String(decoding: bytes[start..<place], as: UTF8.self)), number.isFinite else {
            throw failure("a number is too great")
        }
        return number
    }

    private mutating func digits() -> Int {
        let start = place
        while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { place += 1 }
        return place - start
    }

    private mutating func word(_ word: String, _ value: JSONText) throws(JSONError) -> JSONText {
        guard bytes[place...].starts(with: word.utf8) else { throw failure("a value is missing") }
        place += word.utf8.count
        return value
    }

    private var next: UInt8? { place < bytes.count ? bytes[place] : nil }

    private mutating func skipSpace() {
        while let byte = next, [0x20, 0x0A, 0x0D, 0x09].contains(byte) { place += 1 }
    }

    private mutating func take(_ mark: Unicode.Scalar) -> Bool {
        skipSpace()
        guard next == UInt8(ascii: mark) else { return false }
        place += 1
        return true
    }

    private func failure(_ reason: String) -> JSONError { JSONError(offset: place, reason: reason) }
}
