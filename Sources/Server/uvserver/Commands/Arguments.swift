import ArgumentParser
import Logging
import SocketAddresses

/// A length of time on the command line: `50us`, `500ms`, `5s`, `1m`, or seconds as a plain number.
struct DurationArgument: ExpressibleByArgument {
    let duration: Duration

    /// The duration, where it is more than none.
    var positive: Duration? { duration > .zero ? duration : nil }

    init(_ duration: Duration) { self.duration = duration }

    init?(argument: String) {
        let digits = argument.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit = argument.dropFirst(digits.count)
        guard let number = Double(digits), number.isFinite, number >= 0, number <= 86_400 else { return nil }
        switch unit {
        case "us": duration = .seconds(number / 1_000_000)
        case "ms": duration = .seconds(number / 1000)
        case "s", "": duration = .seconds(number)
        case "m": duration = .seconds(number * 60)
        default: return nil
        }
    }

    var defaultValueDescription: String {
        if duration > .zero, duration < .milliseconds(1) { return "\(Int(duration / .microseconds(1)))us" }
        return duration < .seconds(1) ? "\(Int(duration / .milliseconds(1)))ms" : "\(duration.components.seconds)s"
    }
}

/// Blocks of addresses on the command line, with commas between.
enum AddressBlocksArgument {
    /// The blocks of a list.
    ///
    /// - Throws: what is wrong with which of them.
    static func blocks(_ list: String?, option: String) throws -> [AddressBlock] {
        guard let list else { return [] }
        return try list.split(separator: ",", omittingEmptySubsequences: false).map { part in
            do { return try AddressBlock(parsing: String(part)) } catch {
                throw ValidationError("\(option): \(error); give addresses or blocks, as 10.0.0.10,10.1.0.0/16")
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

/// The check of a number against its range.
enum ValidRange {
    static func check(_ value: Int, _ range: ClosedRange<Int>, _ option: String) throws {
        guard range.contains(value) else {
            let bounds =
                range.upperBound == .max
                ? "\(range.lowerBound) or more" : "a number from \(range.lowerBound) to \(range.upperBound)"
            throw ValidationError("\(option) \(value) is out of range; give \(bounds)")
        }
    }
}

/// A host on the command line.
enum HostArgument {
    /// The address of a host that is given as an IP address, or as `localhost`.
    static func address(_ host: String, port: Int, option: String) throws -> SocketAddress {
        try ValidRange.check(port, 0...65535, "the port")
        if host == "localhost" { return .loopback(port: UInt16(port)) }
        do { return try SocketAddress(parsing: host, port: UInt16(port)) } catch {
            throw ValidationError("\(option) \(error); give an IPv4 or IPv6 address, or localhost")
        }
    }
}
