public import SocketAddresses

/// What a proxy says of the connection that it forwards: the header of the PROXY protocol, version 2.
public struct ProxyHeader: Hashable, Sendable {
    /// Whose connection it is.
    public let command: Command

    /// The client's address, which the connection is to be known by; `nil` where the header tells none.
    public let source: SocketAddress?

    /// The address that the client connected to; `nil` where the header tells none.
    public let destination: SocketAddress?

    /// Makes a header from its parts.
    public init(command: Command, source: SocketAddress?, destination: SocketAddress?) {
        self.command = command
        self.source = source
        self.destination = destination
    }

    /// Whose connection it is.
    public enum Command: Hashable, Sendable {
        /// The proxy's own, such as a health check: the connection's own addresses are the true ones.
        case local
        /// Another one's, forwarded. Without addresses it is not TCP over IPv4 or IPv6, or the proxy does not know.
        case proxy
    }
}
