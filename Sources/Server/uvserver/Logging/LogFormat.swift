import ArgumentParser
import Logging
import SystemCalls

/// The format of the lines in the log.
enum LogFormat: String, CaseIterable, ExpressibleByArgument {
    /// Plain text: time, level, label, message, and metadata as `key=value`.
    case text
    /// One JSON object per line.
    case json

    /// Returns the line for an event, including the newline.
    ///
    /// If the line would be longer than `limit` bytes, its texts are cut.
    func line(_ event: LoggedEvent, limit: Int = Console.lineLimit) -> String {
        var line = wholeLine(event)
        for count in [1024, 512, 256, 128, 64] where line.utf8.count > limit { line = wholeLine(event.cut(to: count)) }
        guard line.utf8.count > limit else { return line }
        var rest = event.cut(to: 64)
        rest.metadata = ["cut": "\(event.metadata.count) values"]
        return wholeLine(rest)
    }

    private func wholeLine(_ event: LoggedEvent) -> String {
        switch self {
        case .text: event.textLine
        case .json: event.jsonLine
        }
    }
}

/// An event, with everything that its log line contains.
struct LoggedEvent {
    /// The time in UTC, in the format of RFC 3339.
    var time: String
    var level: Logger.Level
    /// The logger's label.
    var label: String
    var message: String
    var metadata: Logger.Metadata
}

extension LoggedEvent {
    /// Returns the event with each text cut to a number of bytes.
    fileprivate func cut(to count: Int) -> LoggedEvent {
        LoggedEvent(
            time: time, level: level, label: label, message: message.cut(toByteCount: count),
            metadata: LoggedEvent.cut(metadata, to: count))
    }

    private static func cut(_ metadata: Logger.Metadata, to count: Int) -> Logger.Metadata {
        Logger.Metadata(
            metadata.map { ($0.cut(toByteCount: count), cut($1, to: count)) }, uniquingKeysWith: { first, _ in first })
    }

    private static func cut(_ value: Logger.MetadataValue, to count: Int) -> Logger.MetadataValue {
        switch value {
        case .string(let text): .string(text.cut(toByteCount: count))
        case .stringConvertible(let value): .string("\(value)".cut(toByteCount: count))
        case .array(let values): .array(values.map { cut($0, to: count) })
        case .dictionary(let values): .dictionary(cut(values, to: count))
        }
    }
}
