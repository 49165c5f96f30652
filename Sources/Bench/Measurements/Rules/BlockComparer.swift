import RealModule

/// Makes comparisons of blocks.
public struct BlockComparer: Sendable {
    /// What is compared, and how; settled before anything is measured.
    public struct Terms: Hashable, Codable, Sendable {
        /// The percentiles of the blocks' quantiles, in their order.
        public var percentiles = Percentile.compared
        /// What the verdict is about.
        public var endpoint = Endpoint.standard
        /// The difference that does not matter.
        public var margin = Margin.standard
        /// Decides what bootstraps draw.
        public var seed: UInt64 = 0

        /// The terms of every comparison where nothing else is said.
        public init() {}
    }

    private let terms: Terms
    private let blocks: [BlockResult]
    private let names: [String]

    /// Prepares blocks for comparison.
    ///
    /// - Parameters:
    ///   - blocks: the blocks, in their order.
    ///   - names: the variants of each block, in their order; the first is the reference.
    public init(blocks: [BlockResult], names: [String], terms: Terms) {
        self.blocks = blocks
        self.names = names
        self.terms = terms
    }

    /// What the machine can tell apart: a second copy of the reference compared with the first.
    ///
    /// - Parameter twin: which variant the copy is.
    /// - Returns: the resolution at the endpoint, or `nil` where there is no block to tell.
    public func resolution(twin: Int) -> Resolution? {
        PairedComparison.headline(rows(twin, to: 0, in: blocks), terms.endpoint).map { Resolution(ratio: $0.ratio) }
    }

    /// The rows of one variant against another.
    public func rows(_ candidate: Int, to reference: Int = 0) -> [ComparisonRow] {
        rows(candidate, to: reference, in: blocks)
    }

    /// The ratio of one variant to the reference at the endpoint so far, without the second opinion of a bootstrap.
    public func endpointRatio(_ candidate: Int) -> BlockEstimate? {
        guard let quantile = terms.percentiles.firstIndex(of: terms.endpoint.percentile) else { return nil }
        return estimate(in: blocks) {
            $0.ratio(candidate, to: 0, terms.endpoint.clock, quantile: quantile).map { .log($0) }
        }?.mapped { .exp($0) }
    }

    /// Compares candidates with the reference, and corrects for their number.
    ///
    /// - Parameters:
    ///   - candidates: which variants to compare.
    ///   - resolution: what the machine can tell apart.
    ///   - circumstances: what the sentence tells of the load.
    /// - Returns: a comparison for each candidate that has a block to tell of the endpoint.
    public func comparisons(
        of candidates: [Int], resolution: Resolution?, circumstances: VerdictSentence.Circumstances
    ) -> [PairedComparison] {
        let found = candidates.map { ($0, rows($0, to: 0, in: blocks)) }
            .compactMap { candidate, rows in
                PairedComparison.headline(rows, terms.endpoint).map { (candidate, rows, $0.ratio) }
            }
        let adjusted = HolmCorrection.adjusted(found.map(\.2.pValue))
        return zip(found, adjusted).map { found, pValue in
            comparison(
                found.0, rows: found.1, ratio: found.2, pValue: pValue, resolution: resolution,
                circumstances: circumstances)
        }
    }

    /// The ratio at the endpoint of every variant to every other.
    public func matrix(of variants: [Int]) -> [MatrixCell] {
        guard let quantile = terms.percentiles.firstIndex(of: terms.endpoint.percentile) else { return [] }
        return variants.flatMap { row in
            variants.filter { $0 != row }.compactMap { column in
                ratio(row, to: column, terms.endpoint.clock, quantile, in: blocks)
                    .map { MatrixCell(row: names[row], column: names[column], ratio: $0) }
            }
        }
    }

    private func comparison(
        _ candidate: Int, rows: [ComparisonRow], ratio: BlockEstimate, pValue: Double, resolution: Resolution?,
        circumstances: VerdictSentence.Circumstances
    ) -> PairedComparison {
        let calm = blocks.filter(\.disturbances.isEmpty)
        let reasoned = ReasonedVerdict(
            ratio: ratio, margin: terms.margin, resolution: resolution, pValue: pValue,
            shortfalls: BlockRules.shortfalls(
                requestCounts: blocks.map { [$0.variants[0].count, $0.variants[candidate].count] }))
        let sentence = VerdictSentence(
            reference: names[0], candidate: names[candidate], endpoint: terms.endpoint, ratio: ratio,
            margin: terms.margin, verdict: reasoned.verdict, resolution: resolution, circumstances: circumstances)
        return PairedComparison(
            reference: names[0], candidate: names[candidate], endpoint: terms.endpoint, margin: terms.margin,
            rows: rows, undisturbed: PairedComparison.headline(self.rows(candidate, to: 0, in: calm), terms.endpoint),
            undisturbedBlocks: calm.count, blockRatios: blockRatios(candidate),
            referenceSlower: referenceSlower(candidate), adjustedPValue: pValue, verdict: reasoned.verdict,
            reasons: reasoned.reasons, sentence: sentence.text)
    }

    private func blockRatios(_ candidate: Int) -> [BlockRatio] {
        guard let quantile = terms.percentiles.firstIndex(of: terms.endpoint.percentile) else { return [] }
        return blocks.compactMap { block in
            block.ratio(candidate, to: 0, terms.endpoint.clock, quantile: quantile)
                .map { BlockRatio(start: block.start, ratio: $0, isDisturbed: !block.disturbances.isEmpty) }
        }
    }
}

extension BlockComparer {
    private func rows(_ candidate: Int, to reference: Int, in blocks: [BlockResult]) -> [ComparisonRow] {
        LatencyClock.allCases.flatMap { clock in
            terms.percentiles.indices.compactMap { quantile in
                guard let ratio = ratio(candidate, to: reference, clock, quantile, in: blocks),
                    let difference = estimate(
                        in: blocks, { $0.difference(candidate, to: reference, clock, quantile: quantile) })
                else { return nil }
                return ComparisonRow(
                    percentile: terms.percentiles[quantile], clock: clock, ratio: ratio,
                    differenceNanoseconds: difference)
            }
        }
    }

    /// The ratio at a quantile; the second opinion is for the endpoint alone.
    private func ratio(
        _ candidate: Int, to reference: Int, _ clock: LatencyClock, _ quantile: Int, in blocks: [BlockResult]
    ) -> BlockEstimate? {
        let isEndpoint = terms.endpoint == Endpoint(percentile: terms.percentiles[quantile], clock: clock)
        return estimate(in: blocks, seed: isEndpoint ? terms.seed : nil) {
            $0.ratio(candidate, to: reference, clock, quantile: quantile).map { .log($0) }
        }?.mapped { .exp($0) }
    }

    /// Shares are judged by their distance from a half, at which neither is slower.
    private func referenceSlower(_ candidate: Int) -> BlockEstimate? {
        estimate(in: blocks) { $0.variants[candidate].pairs?.probability.map { $0 - 0.5 } }?.mapped { $0 + 0.5 }
    }

    private func estimate(
        in blocks: [BlockResult], seed: UInt64? = nil, _ number: (BlockResult) -> Double?
    ) -> BlockEstimate? {
        let starts = Set(blocks.map(\.start)).sorted()
        return BlockEstimate(
            starts.map { start in blocks.filter { $0.start == start }.compactMap(number) }, seed: seed)
    }
}
