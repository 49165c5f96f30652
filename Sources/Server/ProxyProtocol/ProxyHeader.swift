public import SocketAddresses

/// A header of the PROXY protocol, version 2.
///
/// The header describes the connection that a proxy forwards.
public struct ProxyHeader: Hashable, Sendable {
    /// Whether the proxy forwards a client's connection or has opened the connection itself.
    public let command: Command

    /// The address of the client, or `nil` if the header contains no address.
    public let source: SocketAddress?

    /// The address that the client connected to, or `nil` if the header contains no address.
    public let destination: SocketAddress?

    /// Whether the proxy forwards a client's connection or has opened the connection itself.
    public enum Command: Hashable, Sendable {
        /// The proxy opened the connection itself, for example for a health check. The addresses of the socket are the
        /// real addresses.
        case local
        /// The proxy forwards a connection. The header contains no addresses if the connection is not TCP over IPv4 or
        /// IPv6, or if the proxy does not know the addresses.
        case proxy
    }
}
