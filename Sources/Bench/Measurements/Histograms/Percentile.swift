/// A percentile, stored as a whole number of millionths to avoid rounding.
public struct Percentile: Hashable, Sendable {
    /// The share of samples at or below the value, in millionths; below one million.
    public let millionths: Int

    /// Makes a percentile; `nil` unless it is at least 0 and below one million millionths.
    public init?(millionths: Int) {
        guard (0..<1_000_000).contains(millionths) else { return nil }
        self.millionths = millionths
    }

    /// Makes a percentile from per cent; `nil` unless it is at least 0 and below 100.
    public init?(percent: Double) {
        guard let millionths = Int(exactly: (percent * 10_000).rounded()) else { return nil }
        self.init(millionths: millionths)
    }

    private init(_ millionths: Int) { self.millionths = millionths }

    /// Half of the samples are at or below it: the median.
    public static let p50 = Percentile(500_000)
    /// 90 of 100 samples are at or below it.
    public static let p90 = Percentile(900_000)
    /// 99 of 100 samples are at or below it.
    public static let p99 = Percentile(990_000)
    /// 999 of 1000 samples are at or below it.
    public static let p999 = Percentile(999_000)
    /// 9999 of 10 000 samples are at or below it.
    public static let p9999 = Percentile(999_900)

    /// The percentiles that a report shows if there are enough samples.
    public static let reported: [Percentile] = [.p50, .p90, .p99, .p999, .p9999]

    /// The number of samples that must be above a percentile that is shown.
    public static let samplesAbove = 10

    /// The percentile in per cent.
    public var percent: Double { Double(millionths) / 10_000 }

    /// The share of samples at or below the value, from 0 to 1.
    public var fraction: Double { Double(millionths) / 1_000_000 }

    /// The number of samples needed for ten of them to be above the percentile.
    public var requiredCount: UInt64 {
        let above = 1_000_000 - millionths
        return UInt64((Percentile.samplesAbove * 1_000_000 + above - 1) / above)
    }
}

extension Percentile: Comparable {
    /// Whether the first percentile is lower.
    public static func < (first: Percentile, second: Percentile) -> Bool { first.millionths < second.millionths }
}

extension Percentile: CustomStringConvertible {
    /// `p50`, `p99`, `p99.9`.
    public var description: String { "p" + DecimalText.trimmed(percent, places: 4) }
}

/// The reading of a histogram at a percentile: its value, or how many samples are missing.
public struct PercentileReading: Hashable, Codable, Sendable {
    /// The percentile.
    public let percentile: Percentile
    /// The value in nanoseconds, if at least ten samples are above it.
    public let nanoseconds: Double?
    /// The number of missing samples, if there are fewer.
    public let needsMore: UInt64?
}
