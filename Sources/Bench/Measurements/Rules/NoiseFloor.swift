/// The noise floor of this run: the ratio of the control, a second copy of the reference, to the reference.
public struct NoiseFloor: Hashable, Codable, Sendable {
    /// The ratio of the control to the reference.
    public var ratio: BlockEstimate

    /// Makes a noise floor from the ratio of the control to the reference.
    public init(ratio: BlockEstimate) { self.ratio = ratio }

    /// Whether the interval contains 1, as is expected for two copies of a server; false if there is no interval.
    public var containsOne: Bool { ratio.interval?.contains(1) == true }

    /// The smallest detectable difference, as a share.
    ///
    /// The share is `max(upper, 1 / lower) - 1`, computed from the two ends of the interval. Without an interval, the
    /// share is `nil`, because no difference can be detected.
    public var share: Double? { ratio.interval.map { max($0.upper, 1 / $0.lower) - 1 } }

    /// Returns whether the run can detect differences as small as the margin.
    ///
    /// This requires that the interval contains 1 and lies within the margin.
    public func permits(_ margin: Margin) -> Bool {
        guard let interval = ratio.interval else { return false }
        return containsOne && interval.isWithin(margin.band)
    }

    /// The noise floor as text, for example `1.01 [0.95, 1.08]`.
    public var text: String { RatioText.text(ratio) }
}
