/// An IP address and a port, for example of one side of a connection.
public struct SocketAddress: Hashable, Sendable {
    /// The IP address.
    public var ip: IPAddress

    /// The port in host byte order.
    ///
    /// Binding to port 0 picks a free port.
    public var port: UInt16

    /// Makes an address from an IP address and a port.
    public init(_ ip: IPAddress, port: UInt16) {
        self.ip = ip
        self.port = port
    }

    /// An address family.
    public enum Family: Hashable, Sendable {
        /// IPv4 (`AF_INET`).
        case ipv4
        /// IPv6 (`AF_INET6`).
        case ipv6
    }

    /// The address family.
    public var family: Family {
        switch ip {
        case .v4: .ipv4
        case .v6: .ipv6
        }
    }

    /// The IP address as text, without the port.
    public var host: String { "\(ip)" }

    /// Returns the IPv4 loopback address, `127.0.0.1`, with a port.
    public static func loopback(port: UInt16) -> SocketAddress { SocketAddress(.v4(0x7F00_0001), port: port) }

    /// Returns the IPv4 wildcard address, `0.0.0.0`, with a port.
    public static func any(port: UInt16) -> SocketAddress { SocketAddress(.v4(0), port: port) }

    /// Makes an address from the text of an IP address and from a port.
    ///
    /// - Parameters:
    ///   - host: an IPv4 address, or an IPv6 address with or without brackets.
    ///   - port: the port in host byte order.
    /// - Throws: `SocketAddressError` if the text is not an address.
    public init(parsing host: String, port: UInt16) throws(SocketAddressError) {
        self.init(try IPAddress(parsing: SocketAddress.inBrackets(host[...]) ?? host), port: port)
    }

    /// Returns the text inside brackets, or `nil` if the text is not in brackets.
    private static func inBrackets(_ host: Substring) -> String? {
        host.hasPrefix("[") && host.hasSuffix("]") && host.count >= 2 ? String(host.dropFirst().dropLast()) : nil
    }

    /// Parses an address with a port, for example `127.0.0.1:9090`, `[::1]:9090` or `[fe80::1%eth0]:80`.
    ///
    /// - Throws: `SocketAddressError` if the text is not an address with a port.
    public init(parsing text: String) throws(SocketAddressError) {
        guard let colon = text.lastIndex(of: ":") else { throw SocketAddressError(text, "has no port after a colon") }
        let host = text[..<colon]
        let digits = text[text.index(after: colon)...]
        guard digits.first?.isNumber == true, let port = UInt16(digits) else {
            throw SocketAddressError(text, "has no port from 0 to 65535 after the last colon")
        }
        let inner = SocketAddress.inBrackets(host)
        guard inner != nil || !host.contains(":") else {
            throw SocketAddressError(text, "needs brackets around its IPv6 address, for example [::1]:9090")
        }
        do throws(SocketAddressError) { ip = try IPAddress(parsing: inner ?? String(host)) } catch {
            throw SocketAddressError(text, error.reason)
        }
        self.port = port
    }
}

extension SocketAddress: CustomStringConvertible {
    /// The IP address, a colon and the port.
    ///
    /// An IPv6 address is in brackets.
    public var description: String {
        switch ip {
        case .v4: "\(ip):\(port)"
        case .v6: "[\(ip)]:\(port)"
        }
    }
}

extension SocketAddress: Comparable {
    /// Orders socket addresses by IP address, then by port.
    public static func < (left: SocketAddress, right: SocketAddress) -> Bool {
        left.ip == right.ip ? left.port < right.port : left.ip < right.ip
    }
}
