/// An address and a port of the Internet protocol, version 4 or 6.
public struct SocketAddress: Hashable, Sendable {
    /// The port in host byte order.
    public var port: UInt16

    /// Placeholder.
    public init(port: UInt16) { self.port = port }
}

extension SocketAddress: CustomStringConvertible {
    /// Placeholder.
    public var description: String { "\(port)" }
}
