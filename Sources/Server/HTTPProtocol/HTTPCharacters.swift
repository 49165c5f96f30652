/// The classes of characters in HTTP's grammar (RFC 9110, RFC 9112, RFC 3986).
enum HTTPCharacters {
    static let tab: UInt8 = 0x09
    static let lineFeed: UInt8 = 0x0A
    static let carriageReturn: UInt8 = 0x0D
    static let space: UInt8 = 0x20
    static let colon = UInt8(ascii: ":")

    /// Whether a byte is allowed in a method or a field name.
    static func isToken(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || tokenMarks.contains(byte) }

    /// Whether a byte is allowed in a request's target: any visible ASCII character except `#`.
    static func isTarget(_ byte: UInt8) -> Bool { (0x21...0x7E).contains(byte) && byte != UInt8(ascii: "#") }

    /// Whether a byte is allowed in a field value: a tab, or any byte that is not a control character.
    static func isValue(_ byte: UInt8) -> Bool { byte == tab || (byte >= space && byte != 0x7F) }

    /// Whether a byte is allowed in a host or in the port after it.
    static func isHost(_ byte: UInt8) -> Bool { isAlphanumeric(byte) || hostMarks.contains(byte) }

    static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    /// Returns a field value without the spaces and tabs around it.
    static func trimmed(_ value: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        func isBlank(_ byte: UInt8) -> Bool { byte == space || byte == tab }
        let behind = value.drop(while: isBlank)
        guard let last = behind.lastIndex(where: { !isBlank($0) }) else { return [] }
        return behind[...last]
    }

    /// Returns a field name with its ASCII letters in lower case.
    static func lowercased(_ name: ArraySlice<UInt8>) -> [UInt8] {
        name.map { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) ? $0 | 0x20 : $0 }
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        isDigit(byte) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }

    private static let tokenMarks = Array("!#$%&'*+-.^_`|~".utf8)
    private static let hostMarks = Array("-._~%!$&'()*+,;=:[]".utf8)
}
