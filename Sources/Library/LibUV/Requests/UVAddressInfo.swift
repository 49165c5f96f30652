internal import CLibUV
public import SocketAddresses

/// The result of resolving a name.
public struct UVAddressInfo: Hashable, Sendable {
    /// The addresses, without duplicates, the best one first.
    ///
    /// Their port is the service's port, or 0 if no service was given.
    public let addresses: [SocketAddress]

    /// The canonical name of the node, if `Options.canonicalName` requested it and the resolver knows it.
    public let canonicalName: String?

    /// The type of socket for which addresses are requested.
    ///
    /// A service may have a port for only one type.
    public enum SocketType: Hashable, Sendable {
        /// A byte stream, for example TCP (`SOCK_STREAM`).
        case stream
        /// Datagrams, for example UDP (`SOCK_DGRAM`).
        case datagram

        var rawValue: Int32 { self == .stream ? cuv_stream_type : cuv_datagram_type }
    }

    /// Options for resolving a name (`ai_flags`).
    public struct Options: OptionSet, Hashable, Sendable {
        /// The system's flags.
        public let rawValue: Int32

        /// Makes options from the system's flags.
        ///
        /// `UVLoop.resolve` reports an error for unknown flags.
        public init(rawValue: Int32) { self.rawValue = rawValue }

        /// If no node is given, returns the wildcard addresses for listening, not the loopback addresses
        /// (`AI_PASSIVE`).
        public static var passive: Options { Options(rawValue: AI_PASSIVE) }
        /// Requests the canonical name of the node (`AI_CANONNAME`).
        public static var canonicalName: Options { Options(rawValue: AI_CANONNAME) }
        /// The node is an IP address, so it is not looked up (`AI_NUMERICHOST`).
        public static var numericNode: Options { Options(rawValue: AI_NUMERICHOST) }
        /// The service is a port as digits, so it is not looked up (`AI_NUMERICSERV`).
        public static var numericService: Options { Options(rawValue: AI_NUMERICSERV) }
        /// Leaves out a family if this machine has no addresses of that family, or only loopback addresses
        /// (`AI_ADDRCONFIG`).
        public static var configuredFamilies: Options { Options(rawValue: AI_ADDRCONFIG) }
        /// Returns IPv4-mapped addresses if IPv6 was requested and the node has no IPv6 address (`AI_V4MAPPED`).
        public static var mappedIPv4: Options { Options(rawValue: AI_V4MAPPED) }
        /// Together with `mappedIPv4`, returns both IPv6 and IPv4-mapped addresses (`AI_ALL`).
        public static var all: Options { Options(rawValue: AI_ALL) }
    }
}

/// The host name of an address, and the service name of its port.
public struct UVHostName: Hashable, Sendable {
    /// The name of the host, or its IP address if it has no name.
    public let host: String

    /// The name of the service, or the port as digits if the port belongs to no known service.
    public let service: String

    /// Options for resolving an address (flags of `getnameinfo`).
    public struct Options: OptionSet, Hashable, Sendable {
        /// The system's flags.
        public let rawValue: Int32

        /// Makes options from the system's flags.
        public init(rawValue: Int32) { self.rawValue = rawValue }

        /// Returns the host as an IP address, without looking it up (`NI_NUMERICHOST`).
        public static var numericHost: Options { Options(rawValue: NI_NUMERICHOST) }
        /// Returns the port as digits, without looking it up (`NI_NUMERICSERV`).
        public static var numericService: Options { Options(rawValue: NI_NUMERICSERV) }
        /// A host without a name causes the error `nameNotFound` (`NI_NAMEREQD`).
        public static var requiresName: Options { Options(rawValue: NI_NAMEREQD) }
        /// The service uses datagrams (`NI_DGRAM`).
        public static var datagram: Options { Options(rawValue: NI_DGRAM) }
        /// For a host in the local domain, returns the name without the domain (`NI_NOFQDN`).
        public static var localPart: Options { Options(rawValue: NI_NOFQDN) }
    }
}
