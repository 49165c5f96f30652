import ArgumentParser

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
