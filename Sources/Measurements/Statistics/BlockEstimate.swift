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
    /// What starts and blocks contribute to the scatter, in the units that were judged; `nil` with a single start.
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
        spread = StartSpread(starts)
        let byStart = spread?.exceedsBlocks == true
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

    /// The estimate of what an increasing function makes of the number; its probability and scatter stay as they are.
    public func mapped(_ function: (Double) -> Double) -> BlockEstimate {
        var mapped = self
        mapped.value = function(value)
        mapped.interval = interval?.mapped(function)
        mapped.bootstrap = bootstrap?.mapped(function)
        return mapped
    }
}
