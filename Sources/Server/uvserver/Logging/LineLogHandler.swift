import Logging
import SystemCalls

/// A log handler that writes each event as one line to standard error.
///
/// It writes each line with one system call, so that lines from different threads do not mix. A line has at most 4096
/// bytes, because a pipe can mix the bytes of longer writes. The handler does not wait for the reader of a pipe. It
/// drops a line for which there is no room, and reports the number of dropped lines before the next line.
struct LineLogHandler: LogHandler {
    var logLevel: Logger.Level = .info
    var metadata: Logger.Metadata = [:]
    var metadataProvider: Logger.MetadataProvider?

    private let label: String
    private let format: LogFormat
    private let write: @Sendable (String) -> Void

    init(
        label: String, format: LogFormat,
        write: @escaping @Sendable (String) -> Void = { Console.writeError($0) }
    ) {
        self.label = label
        self.format = format
        self.write = write
    }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        write(
            format.line(
                LoggedEvent(
                    time: WallClock.utcTimestamp(hasMilliseconds: true), level: event.level, label: label,
                    message: "\(event.message)", metadata: merged(event))))
    }

    /// Returns the line that reports a number of dropped lines.
    static func droppedLineNotice(_ count: Int, label: String, format: LogFormat) -> String {
        format.line(
            LoggedEvent(
                time: WallClock.utcTimestamp(hasMilliseconds: true), level: .warning, label: label,
                message: "\(count) earlier lines were dropped", metadata: ["dropped": "\(count)"]))
    }

    /// Merges the metadata of the handler, the provider and the event.
    ///
    /// If several of them contain the same key, the event's value takes precedence over the provider's value, and the
    /// provider's value over the handler's value.
    private func merged(_ event: LogEvent) -> Logger.Metadata {
        var all = metadata
        if let provided = metadataProvider?.get() { all.merge(provided) { $1 } }
        if let own = event.metadata { all.merge(own) { $1 } }
        if let error = event.error {
            all["error"] = "\(error)"
            all["error.type"] = "\(String(reflecting: type(of: error)))"
        }
        return all
    }
}
