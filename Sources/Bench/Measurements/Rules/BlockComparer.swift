import RealModule

/// Compares servers, based on the results of their blocks.
public struct BlockComparer: Sendable {
    /// The terms of a comparison, chosen before the run.
    public struct Terms: Hashable, Codable, Sendable {
        /// The percentiles for which each block has a value, in the order in which a block stores the values.
        public var percentiles = Percentile.compared
        /// The percentile and the kind of latency that the verdict is about.
        public var endpoint = Endpoint.standard
        /// The margin, within which differences do not matter.
        public var margin = Margin.standard
        /// The seed of the bootstrap resampling.
        public var seed: UInt64 = 0

        /// Makes the default terms.
        public init() {}
    }

    private let terms: Terms
    private let blocks: [BlockResult]
    private let names: [String]

    /// Prepares blocks for comparison.
    ///
    /// - Parameters:
    ///   - blocks: the blocks in the order in which they ran.
    ///   - names: the names of the servers in each block. The first server is the reference.
    public init(blocks: [BlockResult], names: [String], terms: Terms) {
        self.blocks = blocks
        self.names = names
        self.terms = terms
    }

    /// Makes the report of the load under which the blocks were measured.
    ///
    /// - Parameters:
    ///   - load: the load's name, its description, and the pacing of its requests.
    ///   - candidates: the indices of the servers to compare with the reference.
    ///   - control: the index of the control, a second copy of the reference.
    public func report(
        on load: (name: String, title: String, pacing: String, isPaired: Bool), warmUpRequests: Int,
        comparing candidates: [Int], control: Int, variants: [VariantResult], generator: GeneratorCheck,
        platform: PlatformStrip
    ) -> LoadReport {
        let counts = blocks.flatMap { $0.variants.map(\.count) }.sorted()
        let circumstances = Circumstances(
            blocks: blocks.count, requestsPerBlock: counts.isEmpty ? 0 : Int(counts[counts.count / 2]),
            pacing: load.pacing, starts: Set(blocks.map(\.start)).count, stealShare: platform.meanStealShare,
            isPaired: load.isPaired)
        let plan = LoadReport.Plan(
            name: load.name, title: load.title, circumstances: circumstances, warmUpRequests: warmUpRequests)
        let noiseFloor = noiseFloor(control: control)
        return LoadReport(
            plan: plan, variants: variants, noiseFloor: noiseFloor, controlRows: rows(control),
            comparisons: comparisons(of: candidates, noiseFloor: noiseFloor, circumstances: circumstances),
            matrix: candidates.count > 1 ? matrix(of: [0] + candidates) : [], generator: generator, platform: platform)
    }

    /// Compares the control with the reference and returns the noise floor at the verdict's percentile.
    ///
    /// - Parameter control: the index of the control, a second copy of the reference.
    /// - Returns: the noise floor, or `nil` if no block has a value at the verdict's percentile.
    func noiseFloor(control: Int) -> NoiseFloor? {
        PairedComparison.headline(rows(control, to: 0, in: blocks), terms.endpoint).map { NoiseFloor(ratio: $0.ratio) }
    }

    /// Returns the ratios and differences between two servers, with one row per percentile and kind of latency.
    func rows(_ candidate: Int, to reference: Int = 0) -> [ComparisonRow] {
        rows(candidate, to: reference, in: blocks)
    }

    /// Returns the ratio of a server to the reference at the verdict's percentile, without a bootstrap interval.
    ///
    /// The progress display calls this function.
    public func endpointRatio(_ candidate: Int) -> BlockEstimate? {
        guard let quantile = terms.percentiles.firstIndex(of: terms.endpoint.percentile) else { return nil }
        return ratio(candidate, to: 0, terms.endpoint.clock, quantile, in: blocks, seed: nil)
    }

    /// Compares candidates with the reference and corrects the p-values for the number of candidates.
    ///
    /// - Parameters:
    ///   - candidates: the indices of the servers to compare with the reference.
    ///   - noiseFloor: the noise floor at the verdict's percentile.
    ///   - circumstances: the conditions of the measurement. The sentence about each comparison states them.
    /// - Returns: the comparisons. A candidate is omitted if it has no value at the verdict's percentile in any block.
    func comparisons(
        of candidates: [Int], noiseFloor: NoiseFloor?, circumstances: Circumstances
    ) -> [PairedComparison] {
        let found = candidates.map { ($0, rows($0, to: 0, in: blocks)) }
            .compactMap { candidate, rows in
                PairedComparison.headline(rows, terms.endpoint).map { (candidate, rows, $0.ratio) }
            }
        let adjusted = HolmCorrection.adjusted(found.map(\.2.pValue))
        return zip(found, adjusted).map { found, pValue in
            comparison(
                found.0, rows: found.1, ratio: found.2, pValue: pValue, noiseFloor: noiseFloor,
                circumstances: circumstances)
        }
    }

    /// Returns the ratio between every pair of servers at the verdict's percentile.
    func matrix(of variants: [Int]) -> [MatrixCell] {
        guard let quantile = terms.percentiles.firstIndex(of: terms.endpoint.percentile) else { return [] }
        return variants.flatMap { row in
            variants.filter { $0 != row }.compactMap { column in
                ratio(row, to: column, terms.endpoint.clock, quantile, in: blocks)
                    .map { MatrixCell(row: names[row], column: names[column], ratio: $0) }
            }
        }
    }

    private func comparison(
        _ candidate: Int, rows: [ComparisonRow], ratio: BlockEstimate, pValue: Double, noiseFloor: NoiseFloor?,
        circumstances: Circumstances
    ) -> PairedComparison {
        let calm = blocks.filter(\.disturbances.isEmpty)
        let reasoned = ReasonedVerdict(
            ratio: ratio, margin: terms.margin, noiseFloor: noiseFloor, pValue: pValue,
            shortfalls: BlockRules.shortfalls(
                requestCounts: blocks.map { [$0.variants[0].count, $0.variants[candidate].count] }))
        let sentence = circumstances.sentence(
            on: names[candidate], comparedWith: names[0], at: terms.endpoint, ratio: ratio, margin: terms.margin,
            verdict: reasoned.verdict, noiseFloor: noiseFloor)
        return PairedComparison(
            reference: names[0], candidate: names[candidate], endpoint: terms.endpoint, margin: terms.margin,
            rows: rows, undisturbed: PairedComparison.headline(self.rows(candidate, to: 0, in: calm), terms.endpoint),
            undisturbedBlocks: calm.count, blockRatios: blockRatios(candidate),
            referenceSlower: referenceSlower(candidate), adjustedPValue: pValue, verdict: reasoned.verdict,
            reasons: reasoned.reasons, sentence: sentence)
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

    /// Returns the ratio of two servers at a percentile.
    ///
    /// Only the ratio at the verdict's percentile gets a bootstrap interval.
    private func ratio(
        _ candidate: Int, to reference: Int, _ clock: LatencyClock, _ quantile: Int, in blocks: [BlockResult]
    ) -> BlockEstimate? {
        let isEndpoint = terms.endpoint == Endpoint(percentile: terms.percentiles[quantile], clock: clock)
        return ratio(candidate, to: reference, clock, quantile, in: blocks, seed: isEndpoint ? terms.seed : nil)
    }

    private func ratio(
        _ candidate: Int, to reference: Int, _ clock: LatencyClock, _ quantile: Int, in blocks: [BlockResult],
        seed: UInt64?
    ) -> BlockEstimate? {
        estimate(in: blocks, seed: seed) {
            $0.ratio(candidate, to: reference, clock, quantile: quantile).map { .log($0) }
        }?.mapped { .exp($0) }
    }

    /// Estimates the probability that the reference is slower in a pair and tests whether this probability differs from
    /// one half.
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
