public import ArgumentParser

/// A duration on the command line, for example `50us`, `500ms`, `5s` or `1m`.
///
/// A plain number means seconds.
public struct DurationArgument: ExpressibleByArgument {
    /// The duration, which is between zero and one day.
    public let duration: Duration

    /// The duration, or `nil` if it is zero.
    public var positive: Duration? { duration > .zero ? duration : nil }

    /// Makes the default value of an option.
    public init(_ duration: Duration) { self.duration = duration }

    /// Parses a duration, or returns `nil` if the number or the unit is invalid, or if the duration exceeds one day.
    public init?(argument: String) {
        guard let duration = DurationText.parse(argument) else { return nil }
        self.duration = duration
    }

    /// The duration for the help text, in microseconds, milliseconds or seconds.
    public var defaultValueDescription: String {
        if duration > .zero, duration < .milliseconds(1) { return "\(Int(duration / .microseconds(1)))us" }
        return duration < .seconds(1) ? "\(Int(duration / .milliseconds(1)))ms" : "\(duration.components.seconds)s"
    }
}
