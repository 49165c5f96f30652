/// The measurements of one block: all variants under the same load at the same time.
public struct BlockResult: Hashable, Codable, Sendable {
    /// The index of the start of the servers that the block belongs to.
    public var start: Int
    /// The disturbances of the machine during the block.
    public var disturbances: [Disturbance]
    /// The measurements of each variant, in the order of the run's variants.
    public var variants: [VariantBlock]

    /// Makes a result.
    public init(start: Int, disturbances: [Disturbance], variants: [VariantBlock]) {
        self.start = start
        self.disturbances = disturbances
        self.variants = variants
    }

    /// The ratio of the same quantile of two variants; `nil` if either is missing or 0.
    func ratio(_ candidate: Int, to reference: Int, _ clock: LatencyClock, quantile: Int) -> Double? {
        pair(candidate, reference, clock, quantile).flatMap { $0 > 0 && $1 > 0 ? $0 / $1 : nil }
    }

    /// The difference of the same quantile of two variants, in nanoseconds.
    func difference(_ candidate: Int, to reference: Int, _ clock: LatencyClock, quantile: Int) -> Double? {
        pair(candidate, reference, clock, quantile).map { $0 - $1 }
    }

    /// The same quantile of two variants; `nil` if either is missing.
    private func pair(_ first: Int, _ second: Int, _ clock: LatencyClock, _ quantile: Int) -> (Double, Double)? {
        let (above, below) = (variants[first].quantiles(clock), variants[second].quantiles(clock))
        return quantile < min(above.count, below.count) ? (above[quantile], below[quantile]) : nil
    }
}

/// The measurements of one variant in one block.
public struct VariantBlock: Hashable, Codable, Sendable {
    /// The number of requests that were replied to.
    public var count: UInt64
    /// The response time at each percentile that is compared, in nanoseconds.
    public var responseNanoseconds: [Double]
    /// The wire time at each of these percentiles; empty without kernel timestamps.
    public var wireNanoseconds: [Double]
    /// The comparison of each request with its pair to the reference; `nil` for the reference, and without pairs.
    public var pairs: PairTally?

    func quantiles(_ clock: LatencyClock) -> [Double] { clock == .wire ? wireNanoseconds : responseNanoseconds }
}

extension VariantBlock {
    /// Makes a block from its histograms.
    public init(
        response: LatencyHistogram, wire: LatencyHistogram?, percentiles: [Percentile] = Percentile.compared,
        pairs: PairTally? = nil
    ) {
        func quantiles(of histogram: LatencyHistogram) -> [Double] {
            percentiles.compactMap { histogram.quantile(at: $0).map { Double($0) } }
        }
        self.init(
            count: response.count, responseNanoseconds: quantiles(of: response),
            wireNanoseconds: wire.map(quantiles) ?? [], pairs: pairs)
    }
}

/// Counts how often a request to the reference took longer than its pair to a candidate.
public struct PairTally: Hashable, Codable, Sendable {
    /// The number of pairs.
    public var pairs: Int
    /// The number of pairs in which the reference took longer.
    public var referenceSlower: Int
    /// The number of pairs in which both took equally long; each counts half.
    public var ties: Int

    /// Makes a tally.
    public init(pairs: Int = 0, referenceSlower: Int = 0, ties: Int = 0) {
        self.pairs = pairs
        self.referenceSlower = referenceSlower
        self.ties = ties
    }

    /// Counts a pair.
    public mutating func record(reference: UInt64, candidate: UInt64) {
        pairs += 1
        if reference > candidate { referenceSlower += 1 }
        if reference == candidate { ties += 1 }
    }

    /// The probability that the reference takes longer; `nil` without pairs.
    public var probability: Double? {
        pairs == 0 ? nil : (Double(referenceSlower) + Double(ties) / 2) / Double(pairs)
    }
}

extension Percentile {
    /// The percentiles at which blocks are compared: p50, p75, p90, p95, p99, p99.5 and p99.9.
    public static let compared: [Percentile] = [
        500_000, 750_000, 900_000, 950_000, 990_000, 995_000, 999_000,
    ].compactMap(Percentile.init(millionths:))
}
