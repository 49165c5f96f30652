internal import CLibUV
public import SocketAddresses

/// What a name was resolved to.
public struct UVResolution: Hashable, Sendable {
    /// The addresses, best first, each once; with the service's port, or 0 where no service was asked for.
    public let addresses: [SocketAddress]

    /// The node's canonical name, where `Options.canonicalName` asked for it and the resolver knows one.
    public let canonicalName: String?

    /// The kind of socket that addresses are wanted for; a service may have a port for one kind only.
    public enum SocketType: Hashable, Sendable {
        /// A stream of bytes, as of TCP (`SOCK_STREAM`).
        case stream
        /// Datagrams, as of UDP (`SOCK_DGRAM`).
        case datagram

        var rawValue: Int32 { self == .stream ? cuv_stream_type : cuv_datagram_type }
    }

    /// How a name is to be resolved (`ai_flags`).
    public struct Options: OptionSet, Hashable, Sendable {
        /// The flags as the system has them.
        public let rawValue: Int32

        /// Makes options from flags of the system; one that it does not know is refused by `UVLoop.resolve`.
        public init(rawValue: Int32) { self.rawValue = rawValue }

        /// Without a node, addresses to listen on instead of the loopback ones (`AI_PASSIVE`).
        public static var passive: Options { Options(rawValue: AI_PASSIVE) }
        /// Asks for the node's canonical name (`AI_CANONNAME`).
        public static var canonicalName: Options { Options(rawValue: AI_CANONNAME) }
        /// The node is an address in digits: nothing is looked up (`AI_NUMERICHOST`).
        public static var numericNode: Options { Options(rawValue: AI_NUMERICHOST) }
        /// The service is a port in digits: nothing is looked up (`AI_NUMERICSERV`).
        public static var numericService: Options { Options(rawValue: AI_NUMERICSERV) }
        /// Only addresses of a version that an interface of this machine, its loopback aside, has one of
        /// (`AI_ADDRCONFIG`).
        public static var configuredFamilies: Options { Options(rawValue: AI_ADDRCONFIG) }
        /// IPv4 addresses in IPv6 form where IPv6 was asked for and the node has none (`AI_V4MAPPED`).
        public static var mappedIPv4: Options { Options(rawValue: AI_V4MAPPED) }
        /// With `mappedIPv4`, both kinds (`AI_ALL`).
        public static var all: Options { Options(rawValue: AI_ALL) }
    }
}

/// The names of an address and its port.
public struct UVHostName: Hashable, Sendable {
    /// The host's name, or its address in digits where it has none.
    public let host: String

    /// The service's name, or the port in digits where it has none.
    public let service: String

    /// How an address is to be named (`getnameinfo`'s flags).
    public struct Options: OptionSet, Hashable, Sendable {
        /// The flags as the system has them.
        public let rawValue: Int32

        /// Makes options from flags of the system.
        public init(rawValue: Int32) { self.rawValue = rawValue }

        /// The host in digits: nothing is looked up (`NI_NUMERICHOST`).
        public static var numericHost: Options { Options(rawValue: NI_NUMERICHOST) }
        /// The port in digits: nothing is looked up (`NI_NUMERICSERV`).
        public static var numericService: Options { Options(rawValue: NI_NUMERICSERV) }
        /// A host without a name is a failure, `nameNotFound` (`NI_NAMEREQD`).
        public static var requiresName: Options { Options(rawValue: NI_NAMEREQD) }
        /// The service is one of datagrams (`NI_DGRAM`).
        public static var datagram: Options { Options(rawValue: NI_DGRAM) }
        /// The host's name alone for hosts of the local domain (`NI_NOFQDN`).
        public static var localPart: Options { Options(rawValue: NI_NOFQDN) }
    }
}
