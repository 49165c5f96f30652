/// Formats bytes as literals for the transcript, for example `b'^abc$'`.
enum ByteLiteral {
    /// Returns the bytes as a literal, in which escapes such as `\n` and `\x00` stand for unprintable bytes.
    static func describe(_ bytes: [UInt8]) -> String {
        "b'" + bytes.map(describe).joined() + "'"
    }

    private static func describe(_ byte: UInt8) -> String {
        switch byte {
        case UInt8(ascii: "\\"): "\\\\"
        case UInt8(ascii: "'"): "\\'"
        case UInt8(ascii: "\n"): "\\n"
        case UInt8(ascii: "\r"): "\\r"
        case UInt8(ascii: "\t"): "\\t"
        case 0x20...0x7E: String(UnicodeScalar(byte))
        default: "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
    }
}
