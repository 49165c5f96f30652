/// Bytes as base64 text (RFC 4648, 4), with padding.
enum Base64Text {
    private static let alphabet = [UInt8]("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encoded(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        var start = 0
        while start < bytes.count {
            appendGroup(bytes[start..<min(start + 3, bytes.count)], to: &text)
            start += 3
        }
        return String(decoding: text, as: UTF8.self)
    }

    private static func appendGroup(_ group: ArraySlice<UInt8>, to text: inout [UInt8]) {
        let word = group.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - group.count))
        for place in 0..<4 {
            text.append(place <= group.count ? alphabet[word >> (18 - 6 * place) & 0x3F] : UInt8(ascii: "="))
        }
    }
}
