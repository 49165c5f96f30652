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

    /// Parses a duration, or returns `nil` if the number or the unit is invalid.
    public init?(argument: String) {
        let digits = argument.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        let unit = argument.dropFirst(digits.count)
        guard let number = Double(digits), number.isFinite, number >= 0, number <= 86_400 else { return nil }
        switch unit {
        case "us": duration = .seconds(number / 1_000_000)
        case "ms": duration = .seconds(number / 1000)
        case "s", "": duration = .seconds(number)
        case "m": duration = .seconds(number * 60)
        default: return nil
        }
    }

    /// The duration for the help text, in microseconds, milliseconds or seconds.
    public var defaultValueDescription: String {
        if duration > .zero, duration < .milliseconds(1) { return "\(Int(duration / .microseconds(1)))us" }
        return duration < .seconds(1) ? "\(Int(duration / .milliseconds(1)))ms" : "\(duration.components.seconds)s"
    }
}
