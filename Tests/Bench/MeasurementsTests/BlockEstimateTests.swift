import Measurements
import Testing

@Suite struct BlockEstimateTests {
    private static let twelve = [0.03, -0.01, 0.05, 0.02, 0.04, -0.02, 0.06, 0.01, 0.035, 0.025, -0.005, 0.045]
    private static let apart = [
        [0.01, 0.02, 0.015, 0.018], [0.05, 0.06, 0.055, 0.052], [-0.01, 0, 0.005, -0.004],
    ]
    private static let alike = [
        [0.01, 0.03, -0.02, 0.02], [0.02, -0.01, 0.015, 0.03], [0, 0.025, 0.01, -0.005],
    ]

    // A port of the generator to Python draws the same 2000 samples. The expected values are numpy.quantile of the
    // samples' medians.
    @Test func theBootstrapFollowsItsSeed() {
        #expect(close(Bootstrap.medianInterval(of: [BlockEstimateTests.twelve], seed: 42), 0.0025, 0.0425))
        #expect(close(Bootstrap.medianInterval(of: BlockEstimateTests.apart, seed: 42), -0.004, 0.0535))
        #expect(Bootstrap.medianInterval(of: [[]], seed: 42) == nil)
    }

    // The expected p-values come from scipy.stats.f_oneway.
    @Test func differingStartsAreReported() throws {
        let apart = try #require(StartSpread(BlockEstimateTests.apart))
        #expect(close(apart.pValue, 2.4493122370257735e-07, 1e-12))
        #expect(close(apart.betweenStarts, 0.028863183007654114))
        #expect(close(apart.betweenBlocks, 0.0051017426216713214))
        #expect(apart.exceedsBlocks)
        let alike = try #require(StartSpread(BlockEstimateTests.alike))
        #expect(close(alike.pValue, 0.8818410317752488))
        #expect(!alike.exceedsBlocks)
    }

    @Test func oneStartHasNoSpread() {
        #expect(StartSpread([[1, 2, 3]]) == nil)
        #expect(StartSpread([[1], [2]]) == nil)
        #expect(StartSpread([[1, 1], [1, 1]])?.pValue == 1)
        #expect(StartSpread([[1, 1], [2, 2]])?.pValue == 0)
    }

    @Test func blocksAreJudgedByTheSignedRankTest() throws {
        let found = try #require(BlockEstimate([BlockEstimateTests.twelve], seed: 42))
        #expect(found.method == .signedRank)
        #expect(close(found.value, 0.025))
        #expect(close(found.interval, 0.0075, 0.04))
        #expect(found.pValue == SignedRankTest(BlockEstimateTests.twelve).pValue)
        #expect(close(found.bootstrap, 0.0025, 0.0425))
        #expect(!found.opinionsDiffer)
        #expect(BlockEstimate(BlockEstimateTests.alike, seed: 1)?.method == .signedRank)
    }

    // The Hodges–Lehmann centres of the starts are 0.01575, 0.05425 and -0.00225. The expected values follow from these
    // centres by Student's t with two degrees of freedom.
    @Test func differingStartsAreJudgedByStart() throws {
        let found = try #require(BlockEstimate(BlockEstimateTests.apart, seed: 42))
        #expect(found.method == .studentOverStarts)
        #expect(close(found.value, 0.022583333333333334))
        #expect(close(found.interval, -0.04911678805713157, 0.09428345472379823))
        #expect(close(found.pValue, 0.3081171784331723))
        #expect(close(found.bootstrap, -0.004, 0.0535))
    }

    @Test func tooFewBlocksDecideNothing() throws {
        let found = try #require(BlockEstimate([[1, 2, 3, 4, 5]], seed: 0))
        #expect(found.value == 3)
        #expect(found.interval == nil)
        #expect(found.pValue == 1)
        #expect(BlockEstimate([[]], seed: 0) == nil)
        #expect(BlockEstimate([[.nan]], seed: 0) == nil)
    }

    // Of the 210 Walsh averages, 10 are -9, 64 are -4 and 136 are 1, so the 53rd is -4. A bootstrap sample has the
    // median 1 unless at least ten of its twenty draws are -9. This happens in one of 400 samples. The bootstrap
    // interval is therefore 1 to 1.
    @Test func differingTestsAreReported() throws {
        let numbers = Array(repeating: -9.0, count: 4) + Array(repeating: 1, count: 16)
        let found = try #require(BlockEstimate([numbers], seed: 5))
        #expect(found.interval == Interval(-4, 1))
        #expect(found.bootstrap == Interval(1, 1))
        #expect(found.opinionsDiffer)
    }
}
