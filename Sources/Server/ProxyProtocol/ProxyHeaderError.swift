/// Why bytes are not a header of the PROXY protocol, version 2.
public enum ProxyHeaderError: Error, Hashable, Sendable {
    /// The byte at this offset is not the signature's: the peer does not speak the protocol.
    case wrongSignature(offset: Int)
    /// The text header of version 1.
    case versionOne
    /// A version other than 2.
    case unsupportedVersion(UInt8)
    /// A command other than LOCAL and PROXY.
    case unknownCommand(UInt8)
    /// The byte of family and transport is none of the seven that are defined.
    case unknownFamily(UInt8)
    /// The header claims more bytes behind its first 16 than are accepted.
    case tooLong(byteCount: Int)
    /// The header claims fewer bytes behind its first 16 than the addresses of its family take.
    case shortAddresses(byteCount: Int, needed: Int)
    /// The field that begins at this offset of the header reaches beyond the header's end.
    case truncatedField(offset: Int)
    /// A checksum that is not 4 bytes long.
    case wrongChecksumLength(Int)
    /// More than one checksum.
    case repeatedChecksum
    /// The checksum is not that of the header.
    case wrongChecksum(claimed: UInt32, computed: UInt32)
}

extension ProxyHeaderError: CustomStringConvertible {
    /// What is wrong, for a log.
    public var description: String {
        switch self {
        case .wrongSignature(let offset): "no PROXY protocol header: byte \(offset) is not of its signature"
        case .versionOne: "a PROXY protocol header of version 1; let the proxy send version 2 (send-proxy-v2)"
        case .unsupportedVersion(let version): "version \(version) of the PROXY protocol; only 2 is understood"
        case .unknownCommand(let command): "command \(command) in a PROXY protocol header; only 0 and 1 exist"
        case .unknownFamily(let byte): "unknown family and transport 0x\(hexadecimal(byte)) in a PROXY protocol header"
        case .tooLong(let count):
            "a PROXY protocol header of \(count) bytes after the first 16; \(ProxyHeaderParser.maxBlockLength) is the limit"
        case .shortAddresses(let count, let needed):
            "a PROXY protocol header of \(count) bytes after the first 16, where its addresses take \(needed)"
        case .truncatedField(let offset):
            "the field at byte \(offset) of a PROXY protocol header reaches beyond its end"
        case .wrongChecksumLength(let count): "a checksum of \(count) bytes in a PROXY protocol header, not of 4"
        case .repeatedChecksum: "more than one checksum in a PROXY protocol header"
        case .wrongChecksum(let claimed, let computed):
            "the checksum of a PROXY protocol header is 0x\(hexadecimal(claimed)), where its bytes make 0x\(hexadecimal(computed))"
        }
    }

    private func hexadecimal(_ number: some FixedWidthInteger & UnsignedInteger) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: number.bitWidth / 4 - digits.count) + digits
    }
}
