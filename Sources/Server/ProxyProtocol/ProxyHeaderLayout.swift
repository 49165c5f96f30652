import SocketAddresses

/// The layout of a header of version 2.
///
/// The header is checked from its first byte to its last, using only bytes that have been received. Therefore a
/// malformed header stays malformed when more bytes arrive.
enum ProxyHeaderLayout {
    /// The length of the fixed part in bytes.
    ///
    /// The fixed part contains the signature, one byte for the version and the command, one byte for the family and the
    /// transport, and the length of the remaining header.
    static let fixedLength = 16

    static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]

    /// The first bytes of a header of version 1.
    static let textSignature = Array("PROXY ".utf8)

    // Values of the byte for the address family and the transport.
    private static let unspecified: UInt8 = 0x00
    private static let tcpOverIPv4: UInt8 = 0x11
    private static let tcpOverIPv6: UInt8 = 0x21

    /// Reads a header that begins at the first byte, and ignores bytes after its end.
    ///
    /// - Returns: the progress. If it is `complete`, `consumed` is the length of the header.
    static func read(_ bytes: Span<UInt8>) -> ProxyHeaderParser.Progress {
        do throws(ProxyHeaderError) {
            try checkSignature(bytes)
            guard bytes.count > 12 else { return .incomplete }
            let command = try command(bytes[12])
            guard bytes.count > 13 else { return .incomplete }
            // With the command LOCAL, the byte for the family is ignored.
            let family = command == .local ? unspecified : bytes[13]
            let addressLength = try addressLength(of: family)
            guard bytes.count >= fixedLength else { return .incomplete }
            let end = fixedLength + (try blockLength(bytes, addressLength))
            guard bytes.count >= end else { return .incomplete }
            // If the family is unspecified, the parser skips the remaining header without checking it.
            if family != unspecified {
                try ProxyHeaderFields.check(bytes, from: fixedLength + addressLength, to: end)
            }
            let (source, destination) = addresses(bytes, family)
            return .complete(ProxyHeader(command: command, source: source, destination: destination), consumed: end)
        } catch { return .malformed(error) }
    }

    private static func checkSignature(_ bytes: Span<UInt8>) throws(ProxyHeaderError) {
        guard bytes.count > 0 else { return }
        let isText = bytes[0] == textSignature[0]
        let expected = isText ? textSignature : signature
        for offset in 0..<min(bytes.count, expected.count) where bytes[offset] != expected[offset] {
            throw .wrongSignature(offset: offset)
        }
        if isText, bytes.count >= expected.count { throw .versionOne }
    }

    private static func command(_ byte: UInt8) throws(ProxyHeaderError) -> ProxyHeader.Command {
        guard byte >> 4 == 2 else { throw .unsupportedVersion(byte >> 4) }
        switch byte & 0xF {
        case 0: return .local
        case 1: return .proxy
        default: throw .unknownCommand(byte & 0xF)
        }
    }

    /// Returns the total length of both addresses and both ports in bytes.
    private static func addressLength(of family: UInt8) throws(ProxyHeaderError) -> Int {
        switch family {
        case unspecified: return 0
        case tcpOverIPv4, 0x12: return 12  // TCP and UDP.
        case tcpOverIPv6, 0x22: return 36
        case 0x31, 0x32: return 216  // Unix domain sockets: stream and datagram.
        default: throw .unknownFamily(family)
        }
    }

    /// Returns the number of bytes that follow the first 16 bytes of the header.
    private static func blockLength(_ bytes: Span<UInt8>, _ addressLength: Int) throws(ProxyHeaderError) -> Int {
        let count = Int(integer(bytes, at: 14) as UInt16)
        guard count <= ProxyHeaderParser.maxBlockLength else { throw .tooLong(byteCount: count) }
        guard count >= addressLength else { throw .shortAddresses(byteCount: count, needed: addressLength) }
        return count
    }

    /// Returns the addresses of the client and of the server.
    ///
    /// The addresses are `nil` unless the family is TCP over IPv4 or IPv6.
    private static func addresses(_ bytes: Span<UInt8>, _ family: UInt8) -> (SocketAddress?, SocketAddress?) {
        func address(_ ip: IPAddress, portAt offset: Int) -> SocketAddress {
            SocketAddress(ip, port: integer(bytes, at: offset))
        }
        func v4(_ offset: Int) -> IPAddress { .v4(integer(bytes, at: offset)) }
        func v6(_ offset: Int) -> IPAddress { .v6(integer(bytes, at: offset), zone: nil) }
        switch family {
        case tcpOverIPv4: return (address(v4(16), portAt: 24), address(v4(20), portAt: 26))
        case tcpOverIPv6: return (address(v6(16), portAt: 48), address(v6(32), portAt: 50))
        default: return (nil, nil)
        }
    }

    /// Reads an integer in network byte order.
    static func integer<Integer: FixedWidthInteger & UnsignedInteger>(_ bytes: Span<UInt8>, at offset: Int) -> Integer {
        (offset..<offset + Integer.bitWidth / 8).reduce(0) { $0 << 8 | Integer(bytes[$1]) }
    }
}
