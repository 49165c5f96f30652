/// A proportion of hits among trials, with confidence intervals.
public struct Proportion: Hashable, Codable, Sendable {
    /// The number of hits.
    public var hits: Int
    /// The number of trials.
    public var trials: Int

    /// Makes a proportion; negative numbers count as 0, and hits are at most the trials.
    public init(hits: Int, of trials: Int) {
        self.trials = max(0, trials)
        self.hits = min(max(0, hits), self.trials)
    }

    /// The share; `nil` without trials.
    public var share: Double? { trials == 0 ? nil : Double(hits) / Double(trials) }

    /// Wilson's score interval, whose average coverage is close to the confidence; 0 to 1 without trials.
    public func wilsonInterval(confidence: Double = 0.95) -> Interval {
        guard let share else { return Interval(0, 1) }
        let z = NormalDistribution.quantile((1 + confidence) / 2)
        let count = Double(trials)
        let scale = 1 + z * z / count
        let centre = (share + z * z / (2 * count)) / scale
        let radius = z / scale * (share * (1 - share) / count + z * z / (4 * count * count)).squareRoot()
        return Interval(max(0, centre - radius), min(1, centre + radius))
    }

    /// The exact interval of Clopper and Pearson, whose coverage is never below the confidence.
    public func exactInterval(confidence: Double = 0.95) -> Interval {
        let tail = (1 - confidence) / 2
        let hit = Double(hits)
        let missed = Double(trials - hits)
        return Interval(
            hits == 0 ? 0 : BetaDistribution.quantile(tail, hit, missed + 1),
            hits == trials ? 1 : BetaDistribution.quantile(1 - tail, hit + 1, missed))
    }
}
