import ArgumentParser
import Logging
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

/// A level of the log on the command line.
struct LogLevelArgument: ExpressibleByArgument {
    let level: Logger.Level

    init(level: Logger.Level) { self.level = level }

    init?(argument: String) {
        guard let level = Logger.Level(rawValue: argument) else { return nil }
        self.level = level
    }

    static var allValueStrings: [String] { Logger.Level.allCases.map(\.rawValue) }

    var defaultValueDescription: String { level.rawValue }
}
