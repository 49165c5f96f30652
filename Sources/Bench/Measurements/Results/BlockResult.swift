/// The measurements of one block: every server was measured under the same load during the same period.
public struct BlockResult: Hashable, Codable, Sendable {
    /// The index of the start after which the block was measured.
    ///
    /// A run starts and stops all servers several times. The blocks between a start and the next stop have the same
    /// index.
    public var start: Int
    /// The disturbances of the machine during the block.
    public var disturbances: [Disturbance]
    /// The measurements of each server, in the order of the run's servers.
    public var variants: [VariantBlock]

    /// Makes the result of a block.
    public init(start: Int, disturbances: [Disturbance], variants: [VariantBlock]) {
        self.start = start
        self.disturbances = disturbances
        self.variants = variants
    }

    /// Returns the ratio of two servers' latencies at the same percentile; `nil` if either is missing or 0.
    func ratio(_ candidate: Int, to reference: Int, _ clock: LatencyClock, quantile: Int) -> Double? {
        pair(candidate, reference, clock, quantile).flatMap { $0 > 0 && $1 > 0 ? $0 / $1 : nil }
    }

    /// Returns the difference between two servers' latencies at the same percentile, in nanoseconds.
    func difference(_ candidate: Int, to reference: Int, _ clock: LatencyClock, quantile: Int) -> Double? {
        pair(candidate, reference, clock, quantile).map { $0 - $1 }
    }

    /// Returns two servers' latencies at the same percentile; `nil` if either is missing.
    private func pair(_ first: Int, _ second: Int, _ clock: LatencyClock, _ quantile: Int) -> (Double, Double)? {
        let (above, below) = (variants[first].quantiles(clock), variants[second].quantiles(clock))
        return quantile < min(above.count, below.count) ? (above[quantile], below[quantile]) : nil
    }
}

/// The measurements of one server in one block.
public struct VariantBlock: Hashable, Codable, Sendable {
    /// The number of requests that received a reply.
    public var count: UInt64
    /// The response time at each compared percentile, in nanoseconds.
    public var responseNanoseconds: [Double]
    /// The wire time at each compared percentile, in nanoseconds; empty without kernel timestamps.
    public var wireNanoseconds: [Double]
    /// The tally of pairs: a pair is a request to this server and the same group's request to the reference.
    ///
    /// The value is `nil` for the reference, and for loads whose requests are not sent in groups.
    public var pairs: PairTally?

    func quantiles(_ clock: LatencyClock) -> [Double] { clock == .wire ? wireNanoseconds : responseNanoseconds }
}

extension VariantBlock {
    /// Makes a server's result from its histograms.
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

/// Counts how often a request to the reference took longer than the paired request to a candidate.
public struct PairTally: Hashable, Codable, Sendable {
    /// The number of pairs.
    public var pairs: Int
    /// The number of pairs in which the reference took longer.
    public var referenceSlower: Int
    /// The number of pairs in which both requests took equally long.
    ///
    /// `probability` counts each tie as half a pair in which the reference took longer.
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

    /// The estimated probability that the request to the reference takes longer; `nil` if there are no pairs.
    public var probability: Double? {
        pairs == 0 ? nil : (Double(referenceSlower) + Double(ties) / 2) / Double(pairs)
    }
}

extension Percentile {
    /// The percentiles that are compared in each block: p50, p75, p90, p95, p99, p99.5 and p99.9.
    public static let compared: [Percentile] = [
        500_000, 750_000, 900_000, 950_000, 990_000, 995_000, 999_000,
    ].compactMap(Percentile.init(millionths:))
}
