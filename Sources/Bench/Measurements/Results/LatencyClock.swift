/// The two points in time between which a latency is measured.
public enum LatencyClock: String, Hashable, Codable, Sendable, CaseIterable {
    /// From when the request was due until its reply was read: the time a user waits.
    case response
    /// From when the kernel sent the request until it received the reply: excludes the generator's own wake-up.
    case wire

    /// `response time`, `wire time`.
    public var title: String { "\(rawValue) time" }
}

/// The percentile and latency that a verdict is about, declared before the run.
public struct Endpoint: Hashable, Codable, Sendable {
    /// The percentile.
    public var percentile: Percentile
    /// The latency.
    public var clock: LatencyClock

    /// Makes an endpoint.
    public init(percentile: Percentile, clock: LatencyClock) {
        self.percentile = percentile
        self.clock = clock
    }

    /// The 99th percentile of the wire time.
    public static let standard = Endpoint(percentile: .p99, clock: .wire)
}

extension Percentile: Codable {
    /// Reads a percentile in per cent, for example 99.9.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let percent = try container.decode(Double.self)
        guard let percentile = Percentile(percent: percent) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "\(percent) is not a percentile; it must be at least 0 and below 100")
        }
        self = percentile
    }

    /// Writes the percentile in per cent.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(percent)
    }
}
