/// An estimate from one number per block.
///
/// The number is a difference, or the logarithm of a ratio.
///
/// If there is no significant difference between starts (`StartSpread`), the value is the Hodges–Lehmann estimate over
/// all blocks. In this case, the confidence interval and the p-value come from Wilcoxon's signed-rank test.
///
/// If there is a significant difference between starts, one estimate is computed for each start. In this case, the
/// value is the mean of these estimates, and the confidence interval and the p-value come from Student's t test of
/// these estimates.
public struct BlockEstimate: Hashable, Codable, Sendable {
    /// The method that produced an interval.
    public enum Method: String, Hashable, Codable, Sendable {
        /// Wilcoxon's signed-rank test over the blocks.
        case signedRank
        /// Student's t test over the estimates of the starts.
        case studentOverStarts
    }

    /// The estimated value.
    public var value: Double
    /// The 95 % confidence interval; `nil` if there are fewer than six blocks.
    public var interval: Interval?
    /// The method that produced the interval.
    public var method: Method
    /// The p-value of the hypothesis that there is no difference; 1 if there are too few blocks.
    public var pValue: Double
    /// The percentile bootstrap interval of the median, a check of the confidence interval.
    ///
    /// If there is a significant difference between starts, each resample first draws starts, and then draws blocks of
    /// each drawn start.
    public var bootstrap: Interval?
    /// Whether the confidence interval and the bootstrap interval disagree on whether there is a difference.
    public var opinionsDiffer = false
    /// The variation between starts and between blocks; `nil` if it was not computed.
    ///
    /// The variation is not computed if there is only one start, or only one block per start. An estimate without a
    /// bootstrap interval stores the variation only if there is a significant difference between starts.
    public var spread: StartSpread?

    /// Makes an estimate; `nil` if there are no numbers, or if a number is not finite.
    ///
    /// - Parameters:
    ///   - starts: for each start, the numbers of its blocks.
    ///   - seed: the seed of the bootstrap. With `nil`, there is no bootstrap.
    public init?(_ starts: [[Double]], seed: UInt64?) {
        let starts = starts.filter { !$0.isEmpty }
        let values = starts.flatMap { $0 }
        guard let blocks = HodgesLehmann(values) else { return nil }
        value = blocks.estimate
        let spread = StartSpread(starts)
        let byStart = spread?.exceedsBlocks == true
        self.spread = byStart || seed != nil ? spread : nil
        method = byStart ? .studentOverStarts : .signedRank
        bootstrap = seed.flatMap { Bootstrap.medianInterval(of: byStart ? starts : [values], seed: $0) }
        if byStart {
            let centres = starts.compactMap { HodgesLehmann($0)?.estimate }
            let error = (centres.squaredDeviations / Double(centres.count * (centres.count - 1))).squareRoot()
            let degrees = Double(centres.count - 1)
            let radius = error * StudentDistribution.critical(twoSided: 0.05, degrees: degrees)
            value = centres.mean
            interval = Interval(value - radius, value + radius)
            pValue = error == 0 ? 0 : StudentDistribution.twoSided(value / error, degrees: degrees)
        } else {
            interval = blocks.interval()
            pValue = interval == nil ? 1 : SignedRankTest(values).pValue
        }
        if let interval, let bootstrap { opinionsDiffer = interval.contains(0) != bootstrap.contains(0) }
    }

    private enum CodingKeys: String, CodingKey {
        case value, interval, method, pValue, bootstrap, opinionsDiffer, spread
    }

    /// Reads an estimate.
    ///
    /// Missing members get their default values.
    public init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: CodingKeys.self)
        value = try members.decode(Double.self, forKey: .value)
        interval = try members.decodeIfPresent(Interval.self, forKey: .interval)
        method = try members.decodeIfPresent(Method.self, forKey: .method) ?? .signedRank
        pValue = try members.decode(Double.self, forKey: .pValue)
        bootstrap = try members.decodeIfPresent(Interval.self, forKey: .bootstrap)
        opinionsDiffer = try members.decodeIfPresent(Bool.self, forKey: .opinionsDiffer) ?? false
        spread = try members.decodeIfPresent(StartSpread.self, forKey: .spread)
    }

    /// Writes the estimate.
    ///
    /// Members with default values are omitted, because a report contains hundreds of estimates.
    public func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(value, forKey: .value)
        try members.encodeIfPresent(interval, forKey: .interval)
        if method != .signedRank { try members.encode(method, forKey: .method) }
        try members.encode(pValue, forKey: .pValue)
        try members.encodeIfPresent(bootstrap, forKey: .bootstrap)
        if opinionsDiffer { try members.encode(true, forKey: .opinionsDiffer) }
        try members.encodeIfPresent(spread, forKey: .spread)
    }

    /// Returns the estimate after applying an increasing function to its value and its intervals.
    ///
    /// The p-value and the spread do not change.
    public func mapped(_ function: (Double) -> Double) -> BlockEstimate {
        var mapped = self
        mapped.value = function(value)
        mapped.interval = interval?.mapped(function)
        mapped.bootstrap = bootstrap?.mapped(function)
        return mapped
    }
}
