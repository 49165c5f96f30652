/// What kind of connection is forwarded: address family and transport, in one byte of the header.
enum ForwardedFamily: Equatable {
    /// Not told. What follows in the header is skipped, not read.
    case unspecified
    case tcpOverIPv4
    case udpOverIPv4
    case tcpOverIPv6
    case udpOverIPv6
    /// Unix domain sockets, streams or datagrams.
    case unix

    /// Reads the byte; with the command LOCAL it means nothing, whatever it is.
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

    /// Bytes that both addresses take, ports included.
    var addressLength: Int {
        switch self {
        case .unspecified: 0
        case .tcpOverIPv4, .udpOverIPv4: 12
        case .tcpOverIPv6, .udpOverIPv6: 36
        case .unix: 216
        }
    }
}
