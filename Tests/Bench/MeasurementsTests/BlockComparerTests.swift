@testable import Measurements
import RealModule
import Testing

@Suite struct BlockComparerTests {
    /// Returns blocks of a reference, a control and a candidate.
    ///
    /// In block i, the reference's p99 of the wire time is 1000 + i µs. The control's p99 is alternately 1 % longer and
    /// 1 % shorter than the reference's. The candidate's p99 is 20 % to 22 % longer than the reference's.
    static func blocks(_ count: Int = 20) -> [BlockResult] {
        (0..<count).map { index in
            let base = 1_000_000 + Double(index) * 1000
            let turn = index.isMultiple(of: 2) ? 1.01 : 1 / 1.01
            let slow = 1.2 + Double(index) / 1000
            return BlockResult(
                start: index % 2, disturbances: index < 5 ? [.steal] : [],
                variants: [
                    variant(base), variant(base * turn),
                    variant(base * slow, PairTally(pairs: 1000, referenceSlower: 90 + index, ties: 20)),
                ])
        }
    }

    private static func variant(_ nanoseconds: Double, _ pairs: PairTally? = nil) -> VariantBlock {
        VariantBlock(
            count: 1000, responseNanoseconds: [nanoseconds * 2], wireNanoseconds: [nanoseconds], pairs: pairs)
    }

    private static let terms = {
        var terms = BlockComparer.Terms()
        terms.percentiles = [.p99]
        terms.seed = 9
        return terms
    }()

    static let circumstances = Circumstances(
        blocks: 20, requestsPerBlock: 1000, pacing: "at 2000/s Poisson", starts: 3, stealShare: 0.031)

    private static func comparer(_ count: Int = 20) -> BlockComparer {
        BlockComparer(blocks: blocks(count), names: ["epoll", "epoll again", "libuv"], terms: terms)
    }

    // The control's ratio is 1.01 in all blocks of one start, and 1/1.01 in all blocks of the other start. The starts
    // therefore differ. Student's t over two starts gives a very wide interval, whose half-width is 12.7 × log 1.01.
    @Test func theControlSetsTheNoiseFloor() throws {
        let noiseFloor = try #require(BlockComparerTests.comparer().noiseFloor(control: 1))
        #expect(close(noiseFloor.ratio.value, 1))
        #expect(noiseFloor.ratio.method == .studentOverStarts)
        #expect(close(noiseFloor.share, .exp(12.706204736174694 * .log(1.01)) - 1, 1e-6))
    }

    // The ratios are 1.200, 1.201, …, 1.219, so the centre is between 1.209 and 1.210. The interval's ends were
    // computed by hand: the 53rd of the 210 Walsh averages is near the average of the first and the tenth ratio.
    @Test func aCandidateIsComparedBlockByBlock() throws {
        let comparer = BlockComparerTests.comparer()
        var noiseFloor = try #require(comparer.noiseFloor(control: 1))
        noiseFloor.ratio.interval = Interval(0.99, 1.02)
        let comparison = try #require(
            comparer.comparisons(of: [2], noiseFloor: noiseFloor, circumstances: BlockComparerTests.circumstances).first
        )
        let headline = try #require(comparison.headline)
        #expect(close(headline.ratio.value, 1.2095, 1e-4))
        #expect(headline.ratio.method == .signedRank)
        #expect(headline.ratio.interval.map { $0.lower > 1.2 && $0.upper < 1.22 } == true)
        #expect(comparison.verdict == .slower)
        #expect(comparison.rows.map(\.clock) == [.response, .wire])
        #expect(comparison.undisturbedBlocks == 15)
        #expect(comparison.undisturbed?.ratio.value.rounded(.down) == 1)
        #expect(headline.ratio.bootstrap != nil)
        #expect(comparison.rows[0].ratio.bootstrap == nil)
        #expect(comparison.blockRatios.count == 20)
        #expect(comparison.blockRatios[4].isDisturbed && !comparison.blockRatios[5].isDisturbed)
        // All twenty ratios are above 1, so p is 2/2²⁰.
        #expect(close(headline.ratio.pValue, 0x1p-19))
        #expect(comparison.adjustedPValue == headline.ratio.pValue)
    }

    // In block i, the reference is slower in 90 + i of 1000 pairs, and 20 pairs are ties. Half of the ties count too,
    // so the shares are 0.1 to 0.119, with the centre 0.1095.
    @Test func pairsCountHowOftenTheReferenceIsSlower() throws {
        let comparison = try #require(
            BlockComparerTests.comparer().comparisons(
                of: [2], noiseFloor: nil, circumstances: BlockComparerTests.circumstances
            ).first)
        #expect(close(comparison.referenceSlower?.value, 0.1095))
        #expect(comparison.verdict == .undecided)
    }

    // Six blocks on the same side give p = 2/2⁶ = 0.03125. Holm's correction for two candidates doubles p.
    @Test func candidatesAreCorrectedForTheirNumber() throws {
        let blocks = BlockComparerTests.blocks(6)
        var terms = BlockComparerTests.terms
        terms.endpoint.clock = .response
        let comparisons = BlockComparer(blocks: blocks, names: ["a", "b", "c"], terms: terms)
            .comparisons(of: [2, 1], noiseFloor: nil, circumstances: BlockComparerTests.circumstances)
        #expect(comparisons.map(\.candidate) == ["c", "b"])
        #expect(comparisons[0].headline?.ratio.pValue == 0.03125)
        #expect(comparisons[0].adjustedPValue == 0.0625)
        #expect(comparisons[0].reasons.contains("a verdict needs 12 blocks (there are 6)"))
    }

    @Test func theMatrixHoldsEveryPairBothWays() throws {
        let matrix = BlockComparerTests.comparer().matrix(of: [0, 2])
        #expect(matrix.map(\.row) == ["epoll", "libuv"])
        #expect(close(matrix[0].ratio.value * matrix[1].ratio.value, 1))
    }

    @Test func aClockThatWasNotMeasuredHasNoRows() {
        let block = BlockResult(
            start: 0, disturbances: [],
            variants: [
                VariantBlock(count: 1, responseNanoseconds: [1], wireNanoseconds: []),
                VariantBlock(count: 1, responseNanoseconds: [2], wireNanoseconds: []),
            ])
        let comparer = BlockComparer(blocks: [block], names: ["a", "b"], terms: BlockComparerTests.terms)
        #expect(comparer.rows(1).map(\.clock) == [.response])
        #expect(comparer.noiseFloor(control: 1) == nil)
        #expect(
            comparer.comparisons(of: [1], noiseFloor: nil, circumstances: BlockComparerTests.circumstances).isEmpty)
    }

    // The expected sentence is the example in docs/compare.md.
    @Test func theSentenceSaysEverything() throws {
        let text = try sentence(endpoint: .standard)
        #expect(
            text == "libuv p99 is 1.04x epoll p99 [0.97, 1.12], 95% interval, 20 paired blocks x 1000 requests at "
                + "2000/s Poisson, 3 starts: undecided at ±5% (A/A today 1.01 [0.95, 1.08], steal 3.1%)")
        #expect(
            try sentence(endpoint: Endpoint(percentile: .p50, clock: .response))
                .hasPrefix("libuv p50 response time is 1.04x epoll p50 response time [0.97, 1.12]"))
    }

    private func sentence(endpoint: Endpoint) throws -> String {
        BlockComparerTests.circumstances.sentence(
            on: "libuv", comparedWith: "epoll", at: endpoint, ratio: try VerdictTests.ratio(1.04, 0.97, 1.12),
            margin: .standard, verdict: .undecided,
            noiseFloor: NoiseFloor(ratio: try VerdictTests.ratio(1.01, 0.95, 1.08)))
    }
}
