import Logging

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
