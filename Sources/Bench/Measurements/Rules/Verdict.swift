/// What a comparison says about the candidate, beside the reference.
public enum Verdict: String, Hashable, Codable, Sendable {
    /// It takes less time, by more than the margin.
    case faster
    /// It takes more time, by more than the margin.
    case slower
    /// The difference lies within the margin.
    case equivalent
    /// The numbers do not say.
    case undecided
}

/// A verdict, and what kept it from being more.
public struct ReasonedVerdict: Hashable, Codable, Sendable {
    /// The verdict.
    public var verdict: Verdict
    /// Why nothing was decided, or what to know beside the verdict.
    public var reasons: [String]

    /// Judges a ratio against a margin.
    ///
    /// The whole interval beyond the margin is *faster* or *slower*, the whole interval within it is *equivalent*, and
    /// everything else is *undecided*. So is a claim that the reference compared with itself does not support: where that
    /// interval does not hold 1 or leaves the margin, differences below what it resolves are not claimed, nor is
    /// equivalence.
    ///
    /// - Parameters:
    ///   - ratio: the candidate's latency divided by the reference's.
    ///   - margin: the difference that does not matter.
    ///   - resolution: what the machine can tell apart; `nil` where it was not asked, and nothing is claimed.
    ///   - pValue: the probability of the ratio where nothing differs, corrected for the number of candidates; a
    ///     difference is claimed below 0.05.
    ///   - shortfalls: what is missing for any verdict.
    public init(
        ratio: BlockEstimate, margin: Margin, resolution: Resolution?, pValue: Double, shortfalls: [String] = []
    ) {
        verdict = .undecided
        reasons = shortfalls
        guard let interval = ratio.interval else {
            reasons.append("too few blocks for an interval")
            return
        }
        let claim = ReasonedVerdict.claim(interval, margin: margin)
        if claim == .undecided { reasons.append("the interval reaches across the margin of \(margin)") }
        if let doubt = ReasonedVerdict.doubt(about: claim, ratio: ratio.value, margin: margin, resolution: resolution) {
            reasons.append(doubt)
        }
        if claim == .faster || claim == .slower, pValue >= 0.05 {
            reasons.append("corrected for the number of candidates, p is \(DecimalText.fixed(pValue, places: 3))")
        }
        if reasons.isEmpty { verdict = claim }
        if ratio.opinionsDiffer { reasons.append("the bootstrap does not agree with the interval") }
    }

    private static func claim(_ interval: Interval, margin: Margin) -> Verdict {
        let band = margin.band
        if interval.upper < band.lower { return .faster }
        if interval.lower > band.upper { return .slower }
        return interval.isWithin(band) ? .equivalent : .undecided
    }

    private static func doubt(
        about claim: Verdict, ratio: Double, margin: Margin, resolution: Resolution?
    ) -> String? {
        guard let resolution, let share = resolution.share else { return "the reference was not compared with itself" }
        let claimed = claim == .equivalent ? 0 : max(ratio, 1 / ratio) - 1
        guard claim != .undecided, !resolution.resolves(margin), claimed < share else { return nil }
        return "this machine cannot resolve differences below \(DecimalText.fixed(share * 100, places: 1))% today"
    }
}
