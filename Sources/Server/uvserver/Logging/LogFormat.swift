import ArgumentParser
import Logging

/// The format of the lines in the log.
enum LogFormat: String, CaseIterable, ExpressibleByArgument {
    /// Plain text: time, level, label, message, and metadata as `key=value`.
    case text
    /// One JSON object per line.
    case json

    /// Returns the line for an event, including the newline.
    func line(_ event: LoggedEvent) -> String {
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
