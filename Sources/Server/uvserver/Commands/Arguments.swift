public import ArgumentParser
public import Logging
import ProxyProtocol
import SocketAddresses

/// A comma-separated list of address blocks on the command line.
enum CIDRBlocksArgument {
    /// Parses the list and returns its blocks.
    ///
    /// - Throws: `ValidationError`, whose message names the invalid block and says why it is invalid.
    static func blocks(_ list: String?, option: String) throws -> [CIDRBlock] {
        guard let list else { return [] }
        return try list.split(separator: ",", omittingEmptySubsequences: false).map { part in
            do { return try CIDRBlock(parsing: String(part)) } catch {
                throw ValidationError(
                    "\(option): \(error); use addresses or blocks, for example 10.0.0.10,10.1.0.0/16")
            }
        }
    }
}

/// Allows log levels as values of command-line options, for example `info`.
extension Logger.Level: @retroactive ExpressibleByArgument {
    /// Parses the name of a log level.
    public init?(argument: String) { self.init(rawValue: argument) }
}
