/// A kind of latency, defined by the two points in time between which it is measured.
public enum LatencyClock: String, Hashable, Codable, Sendable, CaseIterable {
    /// The time from when the request was due until its reply was read.
    ///
    /// This is how long a user waits.
    case response
    /// The time from when the kernel sent the request until the kernel received the reply.
    ///
    /// The wire time excludes the wake-up of the load generator.
    case wire

    /// The name of the kind of latency: `response time` or `wire time`.
    public var title: String { "\(rawValue) time" }
}

/// The percentile and the kind of latency that a verdict is about, chosen before the run.
public struct Endpoint: Hashable, Codable, Sendable {
    /// The percentile.
    public var percentile: Percentile
    /// The kind of latency.
    public var clock: LatencyClock

    /// Makes an endpoint from a percentile and a kind of latency.
    public init(percentile: Percentile, clock: LatencyClock) {
        self.percentile = percentile
        self.clock = clock
    }

    /// The 99th percentile of the wire time.
    public static let standard = Endpoint(percentile: .p99, clock: .wire)
}

extension Percentile: Codable {
    /// Reads a percentile.
    ///
    /// The percentile is encoded as a percentage, for example 99.9.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let percent = try container.decode(Double.self)
        guard let percentile = Percentile(percent: percent) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "\(percent) is not a percentile; it must be at least 0 and below 100")
        }
        self = percentile
    }

    /// Writes the percentile as a percentage.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(percent)
    }
}
