public import Measurements

/// A condition that the result of a load must meet, for example `p99<5ms`, `wire.p50<100us` or `rate>10000`.
public struct Requirement: Hashable, Sendable {
    /// The measurement that the requirement limits.
    public enum Subject: Hashable, Sendable {
        /// A percentile of one kind of time, over all requests.
        case percentile(Measure, Percentile)
        /// The maximum of one kind of time, over all requests.
        case longest(Measure)
        /// The mean of one kind of time, over all requests.
        case mean(Measure)
        /// The number of replies per second.
        case rate
    }

    /// A kind of time that a load measures.
    public enum Measure: String, Hashable, Sendable {
        /// The response time, from when a request was due.
        case response
        /// The service time, from when a request was sent.
        case service
        /// The wire time, between the kernel's timestamps.
        case wire
    }

    /// The text that the requirement was parsed from.
    public let text: String
    /// The measurement that the requirement limits.
    public let subject: Subject
    /// Whether the measurement must be above the limit.
    ///
    /// If false, the measurement must be below the limit.
    public let isLeast: Bool
    /// The limit, in nanoseconds or in replies per second.
    public let limit: Double

    /// Parses a requirement; `nil` if the text is invalid.
    ///
    /// - Parameter text: a measurement, `<` or `>`, and a limit. The measurement is `rate`, or the `max`, the `mean` or
    ///   a percentile of the response time, for example `p50` or `p99.9`. The prefix `service.` or `wire.` selects
    ///   the service time or the wire time instead of the response time. The limit of a rate is a number; any other
    ///   limit is a time in `us`, `ms` or `s`.
    public init?(parsing text: String) {
        guard let sign = text.firstIndex(where: { $0 == "<" || $0 == ">" }) else { return nil }
        guard let subject = Requirement.subject(text[..<sign]) else { return nil }
        let value = text[text.index(after: sign)...]
        guard let limit = subject == .rate ? Requirement.number(value) : Requirement.nanoseconds(value) else {
            return nil
        }
        self.text = text
        self.subject = subject
        self.limit = limit
        isLeast = text[sign] == ">"
    }

    /// Whether the requirement limits a wire time, which needs kernel timestamps.
    public var needsKernelTimestamps: Bool {
        switch subject {
        case .percentile(let measure, _), .longest(let measure), .mean(let measure): measure == .wire
        case .rate: false
        }
    }

    private static func subject(_ text: Substring) -> Subject? {
        if text == "rate" { return .rate }
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        var (measure, name) = (Measure.response, text)
        if parts.count == 2, let named = Measure(rawValue: String(parts[0])) { (measure, name) = (named, parts[1]) }
        if name == "max" { return .longest(measure) }
        if name == "mean" { return .mean(measure) }
        guard name.first == "p", let percent = number(name.dropFirst()) else { return nil }
        return Percentile(percent: percent).map { .percentile(measure, $0) }
    }

    private static func number(_ text: Substring) -> Double? {
        guard text.first?.isNumber == true, let number = Double(text), number.isFinite, number >= 0 else { return nil }
        return number
    }

    private static func nanoseconds(_ text: Substring) -> Double? {
        let units: [(String, Double)] = [("us", 1e3), ("ms", 1e6), ("s", 1e9)]
        guard let (unit, factor) = units.first(where: { text.hasSuffix($0.0) }) else { return nil }
        guard let nanoseconds = number(text.dropLast(unit.count)).map({ $0 * factor }), nanoseconds.isFinite else {
            return nil
        }
        return nanoseconds
    }
}
