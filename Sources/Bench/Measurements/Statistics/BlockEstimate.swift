/// One number of each block (a logarithm of a ratio, or a difference), judged over all blocks.
///
/// The centre is the Hodges–Lehmann estimate with the interval and probability of the signed-rank test. Where starts
/// differ by more than their blocks explain, the interval and the probability are Student's over the starts' centres.
public struct BlockEstimate: Hashable, Codable, Sendable {
    /// How an interval was made.
    public enum Method: String, Hashable, Codable, Sendable {
        /// Over blocks, by the signed-rank test.
        case signedRank
        /// Over starts, by Student's t.
        case studentOverStarts
    }

    /// The centre.
    public var value: Double
    /// Its interval of 95 %; `nil` with fewer than six blocks.
    public var interval: Interval?
    /// How the interval was made.
    public var method: Method
    /// The probability of such numbers where nothing differs; 1 where nothing can be said.
    public var pValue: Double
    /// The percentile bootstrap of the median, as a second opinion; by start where starts differ.
    public var bootstrap: Interval?
    /// Whether the interval and the bootstrap disagree about whether there is a difference at all.
    public var opinionsDiffer = false
    /// What starts and blocks contribute to the scatter, in the units that were judged; `nil` with a single start, and
    /// where blocks decided and no second opinion was asked for.
    public var spread: StartSpread?

    /// Judges numbers; `nil` where there are none or some are not finite.
    ///
    /// - Parameters:
    ///   - starts: the numbers of the blocks, start by start.
    ///   - seed: decides what the bootstrap draws; `nil` for no bootstrap.
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

    /// Reads an estimate, where what was not written is as usual.
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

    /// Writes the estimate, without what is as usual: there are hundreds in a report.
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

    /// The estimate of what an increasing function makes of the number; its probability and scatter stay as they are.
    public func mapped(_ function: (Double) -> Double) -> BlockEstimate {
        var mapped = self
        mapped.value = function(value)
        mapped.interval = interval?.mapped(function)
        mapped.bootstrap = bootstrap?.mapped(function)
        return mapped
    }
}
