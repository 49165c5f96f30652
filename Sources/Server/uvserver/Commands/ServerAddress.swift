import ArgumentParser
import SocketAddresses

/// An address with a port on the command line: HOST:PORT.
enum ServerAddress {
    /// Parses HOST:PORT, where the host is an IP address or `localhost`.
    ///
    /// - Parameter name: the option or argument, for the error.
    static func parse(_ text: String, _ name: String) throws -> SocketAddress {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        if parts.count == 2, parts[0] == "localhost", let port = UInt16(parts[1]) { return .loopback(port: port) }
        do { return try SocketAddress(parsing: text) } catch {
            throw ValidationError("\(name) \(error); use HOST:PORT, for example 127.0.0.1:9090 or [::1]:9090")
        }
    }
}
