/// The noise floor of this run: the ratio of the control, a second copy of the reference, to the reference.
public struct NoiseFloor: Hashable, Codable, Sendable {
    /// The ratio of the control to the reference.
    public var ratio: BlockEstimate

    /// Makes a noise floor from that ratio.
    public init(ratio: BlockEstimate) { self.ratio = ratio }

    /// Whether the interval contains 1, as it should for two copies of a server; false without an interval.
    public var containsOne: Bool { ratio.interval?.contains(1) == true }

    /// The smallest detectable difference, as a share: the end of the interval that is further from 1.
    ///
    /// `nil` without an interval: no difference can be detected.
    public var share: Double? { ratio.interval.map { max($0.upper, 1 / $0.lower) - 1 } }

    /// Whether differences as small as the margin can be detected: the interval contains 1 and lies within the margin.
    public func permits(_ margin: Margin) -> Bool {
        guard let interval = ratio.interval else { return false }
        return containsOne && interval.isWithin(margin.band)
    }

    /// `1.01 [0.95, 1.08]`.
    public var text: String { RatioText.text(ratio) }
}
