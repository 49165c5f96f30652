import Logging
import SystemCalls

extension LoggedEvent {
    /// Returns the event with each text cut to a number of bytes.
    func cut(to count: Int) -> LoggedEvent {
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
