/// A percentile, stored as a whole number of millionths to avoid rounding.
public struct Percentile: Hashable, Sendable {
    /// The share of samples at or below the percentile's value, in millionths; less than one million.
    public let millionths: Int

    /// Makes a percentile from millionths.
    ///
    /// The result is `nil` unless the number is at least 0 and below one million.
    public init?(millionths: Int) {
        guard (0..<1_000_000).contains(millionths) else { return nil }
        self.millionths = millionths
    }

    /// Makes a percentile from a percentage.
    ///
    /// The result is `nil` unless the number is at least 0 and below 100.
    public init?(percent: Double) {
        guard let millionths = Int(exactly: (percent * 10_000).rounded()) else { return nil }
        self.init(millionths: millionths)
    }

    private init(_ millionths: Int) { self.millionths = millionths }

    /// The median: half of the samples are at or below it.
    public static let p50 = Percentile(500_000)
    /// The 90th percentile: 90 of 100 samples are at or below it.
    public static let p90 = Percentile(900_000)
    /// The 99th percentile: 99 of 100 samples are at or below it.
    public static let p99 = Percentile(990_000)
    /// The 99.9th percentile: 999 of 1000 samples are at or below it.
    public static let p999 = Percentile(999_000)
    /// The 99.99th percentile: 9999 of 10 000 samples are at or below it.
    public static let p9999 = Percentile(999_900)

    /// The percentiles that a report shows.
    ///
    /// Each is omitted if there are too few samples for it.
    public static let reported: [Percentile] = [.p50, .p90, .p99, .p999, .p9999]

    /// A percentile is shown only if at least this many samples are above it.
    public static let samplesAbove = 10

    /// The percentile in per cent.
    public var percent: Double { Double(millionths) / 10_000 }

    /// The share of samples at or below the percentile's value, from 0 to 1.
    public var fraction: Double { Double(millionths) / 1_000_000 }

    /// The minimum total number of samples for which ten samples are above the percentile.
    public var requiredCount: UInt64 {
        let above = 1_000_000 - millionths
        return UInt64((Percentile.samplesAbove * 1_000_000 + above - 1) / above)
    }
}

extension Percentile: Comparable {
    /// Returns whether the first percentile is lower than the second.
    public static func < (first: Percentile, second: Percentile) -> Bool { first.millionths < second.millionths }
}

extension Percentile: CustomStringConvertible {
    /// The percentile as text, for example `p50` or `p99.9`.
    public var description: String { "p" + DecimalText.trimmed(percent, places: 4) }
}

/// A histogram's value at a percentile or, if there are too few samples, the number of missing samples.
public struct PercentileReading: Hashable, Codable, Sendable {
    /// The percentile.
    public let percentile: Percentile
    /// The value in nanoseconds; `nil` if fewer than ten samples are above it.
    public let nanoseconds: Double?
    /// The number of missing samples; `nil` if there are enough.
    public let needsMore: UInt64?
}
