public import ArgumentParser
public import Logging
import ProxyProtocol
import SocketAddresses

/// Blocks of addresses on the command line, separated by commas.
enum CIDRBlocksArgument {
    /// Returns the blocks of a list.
    ///
    /// - Throws: `ValidationError` with the block that is invalid, and why.
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

/// A level of the log on the command line is its name, in lower case.
extension Logger.Level: @retroactive ExpressibleByArgument {
    /// Parses the name of a level.
    public init?(argument: String) { self.init(rawValue: argument) }
}
