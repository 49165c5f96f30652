import Testing

@testable import Measurements

@Suite struct SignedRankTests {
    // The numbers are ranked by their distance from 0. The negative numbers have the ranks 1, 3 and 9, so the ranks of
    // the positive numbers sum to 55 - 13 = 42. Of the 1024 combinations of signs, 82 give a sum of 13 or less, so p is
    // 2·82/1024. SciPy's exact test gives the same p.
    @Test func theProbabilityOfFewDifferencesIsExact() {
        let test = SignedRankTest([1.1, -2.3, 3.7, 4.2, -0.4, 5.9, 6.1, 7.7, -8.8, 9.3])
        #expect(test.count == 10)
        #expect(test.positiveRankSum == 42)
        #expect(test.pValue == 0.16015625)
    }

    // Without the 0, the ranks are 2, 2, 2, 4, 6, 6, 6 and 8, and the positive ranks sum to 30. A Python program that
    // counts all 256 combinations of signs gives p = 30/256.
    @Test func tiesShareTheirRanks() {
        let test = SignedRankTest([1, 1, -2, 3, 3, 3, -1, 4, 0])
        #expect(test.count == 8)
        #expect(test.positiveRankSum == 30)
        #expect(test.pValue == 0.1171875)
    }

    // All six numbers are above 0, so p is 2/2⁶.
    @Test func theSmallestProbabilityOfSix() {
        #expect(SignedRankTest([1, 2, 3, 4, 5, 6]).pValue == 0.03125)
    }

    // The expected value is scipy.stats.wilcoxon(x, method='approx', correction=True) for 69 nonzero numbers with ties.
    @Test func manyDifferencesAreApproximated() {
        let test = SignedRankTest((0..<70).map { Double(($0 * 37) % 101 - 42) / 10 })
        #expect(test.count == 69)
        #expect(close(test.pValue, 0.03328894279378882))
    }

    @Test func withoutDifferencesNothingIsSignificant() {
        #expect(SignedRankTest([]).pValue == 1)
        #expect(SignedRankTest([0, 0]).pValue == 1)
    }

    // The published critical sums at the 5 % level are 0, 3, 8, 13 and 52 for 6, 8, 10, 12 and 20 numbers. Each end of
    // the interval is a Walsh average. Its rank, counted from the nearer side, is one more than the critical sum. Five
    // numbers cannot reach the 5 % level, so their rank is 0.
    @Test func ranksOfTheIntervalAreOneMoreThanThePublishedSums() {
        let ranks = [5, 6, 8, 10, 12, 20, 60].map { HodgesLehmann.rank(count: $0, tail: 0.025) }
        #expect(ranks == [0, 1, 4, 9, 14, 53, 649])
        // The normal approximation is 70·71/4 - 1.95996·√(70·71·141/24) = 907.59, which is rounded down.
        #expect(HodgesLehmann.rank(count: 70, tail: 0.025) == 907)
    }

    // The Walsh averages of 1, 2 and 9 are 1, 1.5, 2, 5, 5.5, 9; their median is 3.5.
    @Test func theEstimateIsTheMedianOfTheMeans() {
        #expect(HodgesLehmann([9, 1, 2])?.estimate == 3.5)
        #expect(HodgesLehmann([9, 1, 2])?.interval() == nil)
        #expect(HodgesLehmann([]) == nil)
        #expect(HodgesLehmann([1, .infinity]) == nil)
    }

    // Twelve numbers have 78 Walsh averages. The interval's ends are the 14th smallest and the 14th largest average. The
    // expected values were computed with NumPy.
    @Test func theIntervalEndsAtWalshAverages() throws {
        let values = [0.03, -0.01, 0.05, 0.02, 0.04, -0.02, 0.06, 0.01, 0.035, 0.025, -0.005, 0.045]
        let centre = try #require(HodgesLehmann(values))
        #expect(close(centre.estimate, 0.025))
        #expect(close(centre.interval(), 0.0075, 0.04))
    }

    // For twelve numbers, the nominal coverage is exactly 1 - 0.0425. The coverage of 2000 samples has a standard
    // deviation of 0.0045.
    @Test func theIntervalHasItsNominalCoverage() {
        var random = SeededRandom(seed: 3)
        let covered = (0..<2000).filter { _ in
            let sample = (0..<12).map { _ in random.nextUnit() - 0.5 }
            return HodgesLehmann(sample)?.interval()?.contains(0) == true
        }
        #expect((1890...1940).contains(covered.count))
    }
}
