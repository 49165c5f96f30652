/// stub
public struct SocketAddress: Hashable, Sendable, CustomStringConvertible {
    public enum Family: Sendable { case ipv4, ipv6 }
    public var family: Family { host.contains(":") ? .ipv6 : .ipv4 }
    public var host: String
    public var port: UInt16
    public init(parsing host: String, port: UInt16) throws { self.host = host; self.port = port }
    public var description: String { "\(host):\(port)" }
}
