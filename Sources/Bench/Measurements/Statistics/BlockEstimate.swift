/// An estimate from one number of each block: the logarithm of a ratio, or a difference.
///
/// The centre is the Hodges–Lehmann estimate, with the interval and the p-value of the signed-rank test. If starts differ
/// by more than their blocks explain, the interval and the p-value are Student's over the centres of the starts.
public struct BlockEstimate: Hashable, Codable, Sendable {
    /// The method that produced an interval.
    public enum Method: String, Hashable, Codable, Sendable {
        /// Over blocks, by the signed-rank test.
        case signedRank
        /// Over starts, by Student's t.
        case studentOverStarts
    }

    /// The centre.
    public var value: Double
    /// The 95 % confidence interval; `nil` with fewer than six blocks.
    public var interval: Interval?
    /// The method that produced the interval.
    public var method: Method
    /// The p-value; 1 if there are too few blocks.
    public var pValue: Double
    /// The percentile bootstrap of the median, a second opinion; resampled by start if starts differ.
    public var bootstrap: Interval?
    /// Whether only one of the interval and the bootstrap excludes no difference.
    public var opinionsDiffer = false
    /// The variation between starts and between blocks; `nil` with a single start, or if the estimate did not need it.
    public var spread: StartSpread?

    /// Makes an estimate; `nil` if there are no numbers or some are not finite.
    ///
    /// - Parameters:
    ///   - starts: the numbers of the blocks of each start.
    ///   - seed: the seed of the bootstrap; `nil` for no bootstrap.
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

    /// Reads an estimate; missing members have their default values.
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

    /// Writes the estimate without default values, because a report contains hundreds of estimates.
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

    /// Returns the estimate mapped by an increasing function; the p-value and the spread stay as they are.
    public func mapped(_ function: (Double) -> Double) -> BlockEstimate {
        var mapped = self
        mapped.value = function(value)
        mapped.interval = interval?.mapped(function)
        mapped.bootstrap = bootstrap?.mapped(function)
        return mapped
    }
}
