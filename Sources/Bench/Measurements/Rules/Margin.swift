/// The largest difference that does not matter, declared before the run.
public struct Margin: Hashable, Codable, Sendable {
    /// The margin as a share: 0.05 for ±5 %.
    public var share: Double

    /// Makes a margin; a negative share counts as 0.
    public init(share: Double) { self.share = max(0, share) }

    /// ±5 %.
    public static let standard = Margin(share: 0.05)

    /// The ratios that count as equal: from 1/(1 + share) to 1 + share, so that swapping the two servers changes nothing.
    public var band: Interval { Interval(1 / (1 + share), 1 + share) }
}

extension Margin: CustomStringConvertible {
    /// `±5%`.
    public var description: String { "±\(DecimalText.trimmed(share * 100, places: 1))%" }
}
