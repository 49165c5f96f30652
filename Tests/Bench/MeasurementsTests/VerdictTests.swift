import Measurements
import Testing

@Suite struct VerdictTests {
    /// Creates a ratio with the given value and interval.
    static func ratio(_ value: Double, _ lower: Double, _ upper: Double) throws -> BlockEstimate {
        var ratio = try #require(BlockEstimate([[0]], seed: 0))
        ratio.value = value
        ratio.interval = Interval(lower, upper)
        ratio.opinionsDiffer = false
        return ratio
    }

    private func verdict(
        _ ratio: BlockEstimate, itself: BlockEstimate, pValue: Double = 0.001, shortfalls: [String] = []
    ) -> ReasonedVerdict {
        ReasonedVerdict(
            ratio: ratio, margin: .standard, noiseFloor: NoiseFloor(ratio: itself), pValue: pValue,
            shortfalls: shortfalls)
    }

    // The margin of ±5 % reaches from 1/1.05 = 0.952 to 1.05.
    @Test func theIntervalDecidesAgainstTheMargin() throws {
        let quiet = try VerdictTests.ratio(1, 0.99, 1.01)
        #expect(verdict(try VerdictTests.ratio(1.2, 1.06, 1.3), itself: quiet).verdict == .slower)
        #expect(verdict(try VerdictTests.ratio(0.8, 0.7, 0.95), itself: quiet).verdict == .faster)
        #expect(verdict(try VerdictTests.ratio(1.02, 0.96, 1.04), itself: quiet).verdict == .equivalent)
        let across = verdict(try VerdictTests.ratio(1.04, 0.97, 1.12), itself: quiet)
        #expect(across.verdict == .undecided)
        #expect(across.reasons == ["the interval crosses the margin of ±5%"])
        #expect(verdict(try VerdictTests.ratio(1.1, 1.04, 1.2), itself: quiet).verdict == .undecided)
    }

    @Test func exchangingTheSidesExchangesTheVerdict() throws {
        let quiet = try VerdictTests.ratio(1, 0.99, 1.01)
        let slower = verdict(try VerdictTests.ratio(1.2, 1.0501, 1.3), itself: quiet)
        let faster = verdict(try VerdictTests.ratio(1 / 1.2, 1 / 1.3, 1 / 1.0501), itself: quiet)
        #expect(slower.verdict == .slower)
        #expect(faster.verdict == .faster)
    }

    // The A/A interval [0.95, 1.08] exceeds the margin, so the noise floor is 8 %. The A/A interval [1.01, 1.04] does
    // not contain 1, so the noise floor is 4 %.
    @Test func aDifferenceBelowTheNoiseFloorIsUndecided() throws {
        let noisy = try VerdictTests.ratio(1.01, 0.95, 1.08)
        let small = verdict(try VerdictTests.ratio(1.07, 1.06, 1.09), itself: noisy)
        #expect(small.verdict == .undecided)
        #expect(small.reasons == ["differences below the noise floor of 8.0% cannot be detected"])
        #expect(verdict(try VerdictTests.ratio(1.0, 0.99, 1.01), itself: noisy).verdict == .undecided)
        #expect(verdict(try VerdictTests.ratio(1.2, 1.1, 1.3), itself: noisy).verdict == .slower)
        let biased = try VerdictTests.ratio(1.02, 1.01, 1.04)
        #expect(verdict(try VerdictTests.ratio(1.0, 0.99, 1.01), itself: biased).verdict == .undecided)
        #expect(verdict(try VerdictTests.ratio(0.8, 0.7, 0.9), itself: biased).verdict == .faster)
    }

    @Test func theNoiseFloorPermitsMargins() throws {
        let noisy = NoiseFloor(ratio: try VerdictTests.ratio(1.01, 0.9, 1.08))
        #expect(noisy.containsOne)
        #expect(close(noisy.share, 1 / 0.9 - 1))
        #expect(!noisy.permits(.standard))
        #expect(noisy.permits(Margin(share: 0.12)))
        #expect(noisy.text == "1.01 [0.90, 1.08]")
    }

    @Test func withoutANoiseFloorTheVerdictIsUndecided() throws {
        let reasoned = ReasonedVerdict(
            ratio: try VerdictTests.ratio(2, 1.9, 2.1), margin: .standard, noiseFloor: nil, pValue: 0.001)
        #expect(reasoned.verdict == .undecided)
        #expect(reasoned.reasons == ["the reference was not compared with a control"])
    }

    @Test func manyCandidatesOrTooFewBlocksDecideNothing() throws {
        let quiet = try VerdictTests.ratio(1, 0.99, 1.01)
        let slow = try VerdictTests.ratio(2, 1.9, 2.1)
        #expect(verdict(slow, itself: quiet, pValue: 0.05).verdict == .undecided)
        #expect(verdict(slow, itself: quiet, shortfalls: ["11 blocks"]).verdict == .undecided)
        var unbounded = slow
        unbounded.interval = nil
        #expect(verdict(unbounded, itself: quiet).reasons == ["too few blocks for an interval"])
    }

    @Test func aDisagreeingBootstrapIsReportedAndDecidesNothing() throws {
        var slow = try VerdictTests.ratio(2, 1.9, 2.1)
        slow.opinionsDiffer = true
        let reasoned = verdict(slow, itself: try VerdictTests.ratio(1, 0.99, 1.01))
        #expect(reasoned.verdict == .slower)
        #expect(reasoned.reasons == ["the bootstrap interval disagrees with the confidence interval"])
    }

    @Test(arguments: [(0.05, "±5%"), (0.025, "±2.5%"), (-1, "±0%")])
    func aMarginIsWrittenInPerCent(share: Double, text: String) {
        #expect("\(Margin(share: share))" == text)
    }
}
