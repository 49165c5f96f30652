import Measurements
import Testing

@Suite struct RuleTests {
    // The last three medians agree within 5 % at the fourth window (82/79 = 1.038) and at the fifth window. The warm-up
    // ends at the fifth window, because five windows are the minimum.
    @Test func warmUpEndsWhenTheLastMediansAgree() {
        var warmUp = WarmUp(minWindows: 5, maxWindows: 20)
        #expect(windows([100.0, 80, 79, 82, 80, 500], of: &warmUp) == [false, false, false, false, true, true])
    }

    // The medians 100 and 106 differ by more than 5 %. The medians 100 and 105 do not differ by more than 5 %.
    @Test func warmUpGoesOnWhileMediansDrift() {
        var warmUp = WarmUp(minWindows: 1, maxWindows: 20)
        #expect(windows([100.0, 103, 106], of: &warmUp) == [false, false, false])
        #expect(windows([nil], of: &warmUp) == [false])
        #expect(windows([100.0, 103, 105], of: &warmUp) == [false, false, true])
    }

    @Test func warmUpStopsAtItsLimit() {
        var warmUp = WarmUp(minWindows: 1, maxWindows: 4)
        #expect(windows([1.0, 2, 4, 8], of: &warmUp) == [false, false, false, true])
    }

    /// Returns, for each window, whether the warm-up is over after this window.
    private func windows(_ medians: [Double?], of warmUp: inout WarmUp) -> [Bool] {
        medians.map { median in
            warmUp.addWindow(median: median)
            return warmUp.isOver
        }
    }

    @Test func aVerdictTakesTwelveBlocksOfFourHundred() {
        #expect(BlockRules.shortfalls(requestCounts: Array(repeating: [400, 400], count: 12)) == [])
        #expect(
            BlockRules.shortfalls(requestCounts: Array(repeating: [400, 400], count: 11))
                == ["a verdict needs 12 blocks (there are 11)"])
        #expect(
            BlockRules.shortfalls(requestCounts: Array(repeating: [400, 400], count: 11) + [[400, 399]])
                == ["a verdict needs 400 requests per server in each block (1 of 12 blocks have fewer, down to 399)"])
    }

    // The median at the lowest rate is 100 µs. A rate fails if its median is above 500 µs, or if the server replies to
    // less than 98 % of the requests.
    @Test func theKneeLiesBetweenAPassedAndAFailedRate() {
        let ladder = RateLadder(
            variant: "x",
            steps: [
                step(1000, 1000, 100), step(2000, 1990, 120), step(4000, 3990, 500), step(8000, 7990, 501),
                step(16_000, 9000, 300),
            ])
        #expect(ladder.steps.map(ladder.holds) == [true, true, true, false, false])
        #expect(ladder.knee.held == 4000)
        #expect(ladder.knee.failed == 8000)
    }

    // The rate 4000 failed in one of its two runs, but the higher rate 8000 held. The knee can therefore be anywhere
    // between 2000 and 16 000.
    @Test func contradictoryRunsWidenTheRange() {
        let ladder = RateLadder(
            variant: "x",
            steps: [
                step(1000, 1000, 100), step(2000, 2000, 100), step(4000, 2000, 100), step(4000, 4000, 100),
                step(8000, 8000, 100), step(16_000, 9000, 100),
            ])
        #expect(ladder.knee.held == 2000)
        #expect(ladder.knee.failed == 16_000)
    }

    @Test func aKneeThatWasNotReachedHasNoUpperBound() {
        #expect(RateLadder(variant: "x", steps: [step(1000, 1000, 100)]).knee.failed == nil)
        #expect(RateLadder(variant: "x", steps: [step(1000, 500, 100)]).knee.held == nil)
        #expect(RateLadder(variant: "x", steps: []).knee == RateLadder(variant: "y", steps: []).knee)
    }

    private func step(_ rate: Double, _ answered: Double, _ microseconds: Double) -> RateLadder.Step {
        RateLadder.Step(
            rate: rate, replyRate: answered, p50Nanoseconds: microseconds * 1000, p99Nanoseconds: nil)
    }

    // A block is disturbed only if more than a tenth of its samples are disturbed. One of ten samples is exactly a
    // tenth, so the block is not disturbed.
    @Test func aBlockIsDisturbedByMoreThanATenthOfItsSamples() {
        let rule = DisturbanceRule()
        let calm = Array(repeating: PlatformSample(), count: 8)
        let stolen = PlatformSample(stealShare: 0.051)
        let late = PlatformSample(hiccupMicroseconds: 2001)
        #expect(rule.disturbances(in: calm + [stolen, PlatformSample()]) == [])
        #expect(rule.disturbances(in: calm + [stolen, stolen]) == [.steal])
        #expect(rule.disturbances(in: [late, stolen, late, stolen]) == [.hiccup, .steal])
        #expect(rule.disturbances(in: []) == [])
    }

    @Test func aBlockAtTheLimitIsNotDisturbed() {
        let limits = PlatformSample(
            hiccupMicroseconds: 2000, stealShare: 0.05, pressureShare: 0.25, runDelayShare: 0.1, foreignShare: 0.1)
        #expect(DisturbanceRule().disturbances(in: [limits]) == [])
        let beyond = PlatformSample(
            hiccupMicroseconds: 2000.1, stealShare: 0.06, pressureShare: 0.26, runDelayShare: 0.11, foreignShare: 0.11)
        #expect(DisturbanceRule().disturbances(in: [beyond]) == Disturbance.allCases)
    }

    @Test(arguments: [
        (0.0, 0, "0"), (0.05, 1, "0.1"), (-0.04, 1, "0.0"), (2.5, 0, "3"), (-1.005, 1, "-1.0"),
        (1234.5678, 3, "1234.568"),
        (1e300, 2, "1e+300"), (.infinity, 2, "inf"),
    ])
    func decimalsAreRounded(value: Double, places: Int, text: String) {
        #expect(DecimalText.fixed(value, places: places) == text)
    }
}
