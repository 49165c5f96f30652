/// The address family and transport of a forwarded connection, one byte of the header.
enum ForwardedFamily: Equatable {
    /// Unspecified: the rest of the header is skipped.
    case unspecified
    case tcpOverIPv4
    case udpOverIPv4
    case tcpOverIPv6
    case udpOverIPv6
    /// A Unix domain socket, stream or datagram.
    case unix

    /// Reads the byte, which has no meaning with the command LOCAL.
    init(_ byte: UInt8, _ command: ProxyHeader.Command) throws(ProxyHeaderError) {
        if command == .local {
            self = .unspecified
            return
        }
        switch byte {
        case 0x00: self = .unspecified
        case 0x11: self = .tcpOverIPv4
        case 0x12: self = .udpOverIPv4
        case 0x21: self = .tcpOverIPv6
        case 0x22: self = .udpOverIPv6
        case 0x31, 0x32: self = .unix
        default: throw .unknownFamily(byte)
        }
    }

    /// The length of both addresses and their ports in bytes.
    var addressLength: Int {
        switch self {
        case .unspecified: 0
        case .tcpOverIPv4, .udpOverIPv4: 12
        case .tcpOverIPv6, .udpOverIPv6: 36
        case .unix: 216
        }
    }
}
