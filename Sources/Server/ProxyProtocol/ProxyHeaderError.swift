/// The reason why bytes are not a valid header of the PROXY protocol, version 2.
public enum ProxyHeaderError: Error, Hashable, Sendable {
    /// The byte at this offset differs from the signature, so the peer does not use the protocol.
    case wrongSignature(offset: Int)
    /// The header has the text form of version 1.
    case versionOne
    /// The version is not 2.
    case unsupportedVersion(UInt8)
    /// The command is neither LOCAL nor PROXY.
    case unknownCommand(UInt8)
    /// The byte for the address family and the transport has an undefined value.
    case unknownFamily(UInt8)
    /// The declared length, which counts the bytes after the first 16, exceeds the parser's limit.
    case tooLong(byteCount: Int)
    /// The declared length, which counts the bytes after the first 16, is too small for the addresses of the family.
    case shortAddresses(byteCount: Int, needed: Int)
    /// The field at this offset extends past the end of the header.
    case truncatedField(offset: Int)
    /// The checksum is not 4 bytes long.
    case wrongChecksumLength(Int)
    /// The header contains more than one checksum.
    case repeatedChecksum
    /// The checksum does not match the header.
    case wrongChecksum(claimed: UInt32, computed: UInt32)
}

extension ProxyHeaderError: CustomStringConvertible {
    /// The reason as text, for the log.
    public var description: String {
        switch self {
        case .wrongSignature(let offset): "no PROXY protocol header: byte \(offset) differs from the signature"
        case .versionOne: "PROXY protocol header of version 1; configure the proxy to send version 2 (send-proxy-v2)"
        case .unsupportedVersion(let version): "PROXY protocol header of version \(version); only 2 is supported"
        case .unknownCommand(let command): "PROXY protocol header with command \(command); only 0 and 1 are defined"
        case .unknownFamily(let byte): "PROXY protocol header of undefined family 0x\(hexadecimal(byte))"
        case .tooLong(let count):
            "PROXY protocol header longer than the limit: \(count) bytes after the first 16"
        case .shortAddresses(let count, let needed):
            "PROXY protocol header with \(count) bytes after the first 16; its addresses need \(needed)"
        case .truncatedField(let offset):
            "PROXY protocol header with a field (at byte \(offset)) that extends past the end of the header"
        case .wrongChecksumLength(let count): "PROXY protocol header with a checksum of \(count) bytes instead of 4"
        case .repeatedChecksum: "PROXY protocol header with more than one checksum"
        case .wrongChecksum(let claimed, let computed):
            "PROXY protocol header with checksum 0x\(hexadecimal(claimed)) instead of 0x\(hexadecimal(computed))"
        }
    }

    private func hexadecimal(_ number: some FixedWidthInteger & UnsignedInteger) -> String {
        let digits = String(number, radix: 16)
        return String(repeating: "0", count: number.bitWidth / 4 - digits.count) + digits
    }
}
