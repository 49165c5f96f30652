import ArgumentParser
import Logging

/// How a line of the log is written.
enum LogFormat: String, CaseIterable, ExpressibleByArgument {
    /// For people: time, level, label, message, and the metadata as `key=value`.
    case text
    /// For programs: an object.
    case json

    /// The line for an event, with its end.
    func line(_ event: LoggedEvent) -> String {
        switch self {
        case .text: event.textLine
        case .json: event.jsonLine
        }
    }
}

/// What a line of the log tells, in either format.
struct LoggedEvent {
    /// When, as RFC 3339 has it, in UTC.
    var time: String
    var level: Logger.Level
    /// The label of the logger.
    var label: String
    var message: String
    var metadata: Logger.Metadata
}
