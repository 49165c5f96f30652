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
    /// If the line would be longer than `limit` bytes, the event's texts are cut.
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
