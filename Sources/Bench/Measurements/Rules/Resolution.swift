/// What this machine can tell apart today: the reference compared with itself, under the plan of the comparison.
public struct Resolution: Hashable, Codable, Sendable {
    /// The ratio of the reference to itself.
    public var ratio: BlockEstimate

    /// Makes a resolution of the comparison of the reference with itself.
    public init(ratio: BlockEstimate) { self.ratio = ratio }

    /// Whether the interval holds 1, as it must for a server and itself; false without an interval.
    public var holdsOne: Bool { ratio.interval?.contains(1) == true }

    /// The smallest difference that can be resolved, as a share: the end of the interval that is further from 1.
    ///
    /// `nil` where there is no interval, and nothing can be resolved.
    public var share: Double? { ratio.interval.map { max($0.upper, 1 / $0.lower) - 1 } }

    /// Whether differences as small as the margin can be resolved: the interval holds 1 and lies in the margin.
    public func resolves(_ margin: Margin) -> Bool {
        guard let interval = ratio.interval else { return false }
        return holdsOne && interval.isWithin(margin.band)
    }

    /// `1.01 [0.95, 1.08]`.
    public var text: String { RatioText.text(ratio) }
}
