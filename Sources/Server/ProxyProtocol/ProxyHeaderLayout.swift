import SocketAddresses

/// The layout of a header of version 2.
///
/// Checks run from the first byte to the last and only on bytes that have been received, so a malformed header stays
/// malformed when more bytes follow.
enum ProxyHeaderLayout {
    /// Signature, version and command, family and transport, length.
    static let fixedLength = 16

    static let signature: [UInt8] = [0x0D, 0x0A, 0x0D, 0x0A, 0x00, 0x0D, 0x0A, 0x51, 0x55, 0x49, 0x54, 0x0A]

    /// The first bytes of a header of version 1.
    static let textSignature = Array("PROXY ".utf8)

    /// Reads a header from its first byte on and ignores bytes after its end.
    ///
    /// - Returns: the progress, with `consumed` counted from the first byte.
    static func read(_ bytes: Span<UInt8>) -> ProxyHeaderParser.Progress {
        do throws(ProxyHeaderError) {
            try checkSignature(bytes)
            guard bytes.count > 12 else { return .incomplete }
            let command = try command(bytes[12])
            guard bytes.count > 13 else { return .incomplete }
            let family = try ForwardedFamily(bytes[13], command)
            guard bytes.count >= fixedLength else { return .incomplete }
            let end = fixedLength + (try blockLength(bytes, family))
            guard bytes.count >= end else { return .incomplete }
            if family != .unspecified {
                try ProxyHeaderFields.check(bytes, from: fixedLength + family.addressLength, to: end)
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

    /// The number of bytes after the first 16.
    private static func blockLength(_ bytes: Span<UInt8>, _ family: ForwardedFamily) throws(ProxyHeaderError) -> Int {
        let count = Int(integer(bytes, at: 14, as: UInt16.self))
        guard count <= ProxyHeaderParser.maxBlockLength else { throw .tooLong(byteCount: count) }
        guard count >= family.addressLength else {
            throw .shortAddresses(byteCount: count, needed: family.addressLength)
        }
        return count
    }

    private static func addresses(_ bytes: Span<UInt8>, _ family: ForwardedFamily) -> (SocketAddress?, SocketAddress?) {
        func address(_ ip: IPAddress, portAt offset: Int) -> SocketAddress {
            SocketAddress(ip, port: integer(bytes, at: offset, as: UInt16.self))
        }
        switch family {
        case .tcpOverIPv4:
            return (
                address(.v4(integer(bytes, at: 16, as: UInt32.self)), portAt: 24),
                address(.v4(integer(bytes, at: 20, as: UInt32.self)), portAt: 26)
            )
        case .tcpOverIPv6:
            return (
                address(.v6(integer(bytes, at: 16, as: UInt128.self), zone: nil), portAt: 48),
                address(.v6(integer(bytes, at: 32, as: UInt128.self), zone: nil), portAt: 50)
            )
        case .unspecified, .udpOverIPv4, .udpOverIPv6, .unix: return (nil, nil)
        }
    }

    /// An integer in network byte order.
    static func integer<Integer: FixedWidthInteger & UnsignedInteger>(
        _ bytes: Span<UInt8>, at offset: Int, as: Integer.Type
    ) -> Integer {
        var value: Integer = 0
        for index in offset..<offset + Integer.bitWidth / 8 { value = value << 8 | Integer(bytes[index]) }
        return value
    }
}
