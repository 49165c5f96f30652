/// Between which two stamps a latency lies.
public enum LatencyClock: String, Hashable, Codable, Sendable, CaseIterable {
    /// From when the request was due until its answer was read: what a user waits.
    case response
    /// From when the kernel sent the request until it received the answer: without the generator's own wake-up.
    case wire

    /// `response time`, `wire time`.
    public var title: String { "\(rawValue) time" }
}

/// What a verdict is about, declared beforehand.
public struct Endpoint: Hashable, Codable, Sendable {
    /// Which percentile.
    public var percentile: Percentile
    /// Of which latency.
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
    /// Reads a percentile in per cent, as 99.9.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let percent = try container.decode(Double.self)
        guard let whole = Int(exactly: (percent * 10_000).rounded()), let percentile = Percentile(millionths: whole)
        else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "\(percent) is no percentile")
        }
        self = percentile
    }

    /// Writes the percentile in per cent.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(percent)
    }
}
