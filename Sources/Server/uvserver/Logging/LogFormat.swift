import ArgumentParser
import Logging

/// The format of a log line.
enum LogFormat: String, CaseIterable, ExpressibleByArgument {
    /// Text: time, level, label, message, and metadata as `key=value`.
    case text
    /// A JSON object.
    case json

    /// The line for an event, with its newline.
    func line(_ event: LoggedEvent) -> String {
        switch self {
        case .text: event.textLine
        case .json: event.jsonLine
        }
    }
}

/// The contents of a log line.
struct LoggedEvent {
    /// The time in UTC in the form of RFC 3339.
    var time: String
    var level: Logger.Level
    /// The logger's label.
    var label: String
    var message: String
    var metadata: Logger.Metadata
}
