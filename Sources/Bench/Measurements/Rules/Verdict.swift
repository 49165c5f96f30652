/// The conclusion about a candidate, relative to the reference.
public enum Verdict: String, Hashable, Codable, Sendable {
    /// The candidate's latency is lower by more than the margin.
    case faster
    /// The candidate's latency is higher by more than the margin.
    case slower
    /// The difference in latency lies within the margin.
    case equivalent
    /// The measurements do not permit a conclusion.
    case undecided
}

/// A verdict with its reasons.
public struct ReasonedVerdict: Hashable, Codable, Sendable {
    /// The verdict.
    public var verdict: Verdict
    /// If the verdict is undecided, the reasons; otherwise, remarks on the verdict.
    public var reasons: [String]

    /// Derives a verdict from a ratio and a margin.
    ///
    /// If the whole interval is beyond the margin, the verdict is *faster* or *slower*. If the whole interval is within
    /// the margin, the verdict is *equivalent*. Otherwise, it is *undecided*.
    ///
    /// If the control's interval excludes 1 or is not within the margin, a difference smaller than the noise floor is
    /// *undecided* too, and no candidate is *equivalent*.
    ///
    /// - Parameters:
    ///   - ratio: the candidate's latency divided by the reference's.
    ///   - margin: the largest difference that does not matter.
    ///   - noiseFloor: the noise floor. Without a noise floor, the verdict is undecided.
    ///   - pValue: the p-value, corrected for the number of candidates. The verdicts *faster* and *slower* require a
    ///     value below 0.05.
    ///   - shortfalls: the reasons why there are too few blocks or requests for a verdict, from `BlockRules`.
    public init(
        ratio: BlockEstimate, margin: Margin, noiseFloor: NoiseFloor?, pValue: Double, shortfalls: [String] = []
    ) {
        verdict = .undecided
        reasons = shortfalls
        guard let interval = ratio.interval else {
            reasons.append("too few blocks for an interval")
            return
        }
        let claim = ReasonedVerdict.claim(interval, margin: margin)
        if claim == .undecided { reasons.append("the interval crosses the margin of \(margin)") }
        if let doubt = ReasonedVerdict.doubt(about: claim, ratio: ratio.value, margin: margin, noiseFloor: noiseFloor) {
            reasons.append(doubt)
        }
        if claim == .faster || claim == .slower, pValue >= 0.05 {
            reasons.append("p after Holm's correction is \(DecimalText.fixed(pValue, places: 3)), not below 0.05")
        }
        if reasons.isEmpty { verdict = claim }
        if ratio.opinionsDiffer { reasons.append("the bootstrap interval disagrees with the confidence interval") }
    }

    private static func claim(_ interval: Interval, margin: Margin) -> Verdict {
        let band = margin.band
        if interval.upper < band.lower { return .faster }
        if interval.lower > band.upper { return .slower }
        return interval.isWithin(band) ? .equivalent : .undecided
    }

    private static func doubt(
        about claim: Verdict, ratio: Double, margin: Margin, noiseFloor: NoiseFloor?
    ) -> String? {
        guard let noiseFloor, let share = noiseFloor.share else {
            return "the reference was not compared with a control"
        }
        let claimed = claim == .equivalent ? 0 : max(ratio, 1 / ratio) - 1
        guard claim != .undecided, !noiseFloor.permits(margin), claimed < share else { return nil }
        return "differences below the noise floor of \(DecimalText.fixed(share * 100, places: 1))% cannot be detected"
    }
}
