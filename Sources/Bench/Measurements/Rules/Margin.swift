/// The largest difference that does not matter, chosen before the run.
public struct Margin: Hashable, Codable, Sendable {
    /// The margin as a share, for example 0.05 for ±5 %.
    public var share: Double

    /// Makes a margin.
    ///
    /// A negative share is replaced with 0.
    public init(share: Double) { self.share = max(0, share) }

    /// The default margin, ±5 %.
    public static let standard = Margin(share: 0.05)

    /// The range of ratios that count as equal: from 1/(1 + share) to 1 + share.
    ///
    /// The range is symmetric on a logarithmic scale, so the verdict does not depend on which server is the reference.
    public var band: Interval { Interval(1 / (1 + share), 1 + share) }
}

extension Margin: CustomStringConvertible {
    /// The margin as text, for example `±5%`.
    public var description: String { "±\(DecimalText.trimmed(share * 100, places: 1))%" }
}
