internal import ArgumentParser
public import SocketAddresses

/// A host on the command line.
public enum HostArgument {
    /// Returns the address of a host given as an IP address or as `localhost`.
    ///
    /// - Throws: `ValidationError` if the host or the port is invalid.
    public static func address(_ host: String, port: Int, option: String) throws -> SocketAddress {
        try ValidRange.check(port, 0...65535, "the port")
        if host == "localhost" { return .loopback(port: UInt16(port)) }
        do { return try SocketAddress(parsing: host, port: UInt16(port)) } catch {
            throw ValidationError("\(option) \(error); give an IPv4 or IPv6 address, or localhost")
        }
    }
}
