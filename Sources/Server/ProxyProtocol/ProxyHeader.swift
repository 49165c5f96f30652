public import SocketAddresses

/// A header of the PROXY protocol, version 2, with which a proxy describes a connection.
public struct ProxyHeader: Hashable, Sendable {
    /// Whether the proxy forwards a connection or has opened its own.
    public let command: Command

    /// The client's address, or `nil` if the header has none.
    public let source: SocketAddress?

    /// The address that the client has connected to, or `nil` if the header has none.
    public let destination: SocketAddress?

    /// Whether the proxy forwards a connection or has opened its own.
    public enum Command: Hashable, Sendable {
        /// The proxy's own connection, for example a health check. The addresses of the socket apply.
        case local
        /// A forwarded connection. It has no addresses if it is not TCP over IPv4 or IPv6, or if the proxy does not know them.
        case proxy
    }
}
