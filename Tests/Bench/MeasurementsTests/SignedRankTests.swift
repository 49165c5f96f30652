import Testing

@testable import Measurements

@Suite struct SignedRankTests {
    // Ranks by distance from 0: -0.4 is 1, 1.1 is 2, -2.3 is 3, …, -8.8 is 9, 9.3 is 10. Those above 0 sum to
    // 55 - (1 + 3 + 9) = 42; 82 of 1024 signs give 13 or less: p = 164/1024, which is also SciPy's exact one.
    @Test func theProbabilityOfFewDifferencesIsExact() {
        let test = SignedRankTest([1.1, -2.3, 3.7, 4.2, -0.4, 5.9, 6.1, 7.7, -8.8, 9.3])
        #expect(test.count == 10)
        #expect(test.positiveRankSum == 42)
        #expect(test.pValue == 0.16015625)
    }

    // Ranks 2 2 2 4 6 6 6 8, W = 30; counted over all 256 signs by brute force in Python: p = 30/256. The 0 is left out.
    @Test func tiesShareTheirRanks() {
        let test = SignedRankTest([1, 1, -2, 3, 3, 3, -1, 4, 0])
        #expect(test.count == 8)
        #expect(test.positiveRankSum == 30)
        #expect(test.pValue == 0.1171875)
    }

    // Six of six above 0: 2/2⁶.
    @Test func theSmallestProbabilityOfSix() {
        #expect(SignedRankTest([1, 2, 3, 4, 5, 6]).pValue == 0.03125)
    }

    // scipy.stats.wilcoxon(x, method='approx', correction=True): 69 differences that are not 0, with ties.
    @Test func manyDifferencesAreApproximated() {
        let test = SignedRankTest((0..<70).map { Double(($0 * 37) % 101 - 42) / 10 })
        #expect(test.count == 69)
        #expect(close(test.pValue, 0.03328894279378882))
    }

    @Test func withoutDifferencesNothingIsSignificant() {
        #expect(SignedRankTest([]).pValue == 1)
        #expect(SignedRankTest([0, 0]).pValue == 1)
    }

    // The published critical sums at 5 % are 0 for six, 3 for eight, 8 for ten, 13 for twelve and 52 for twenty; the
    // interval's ends lie one rank further in. Five cannot reach 5 %.
    @Test func ranksOfTheIntervalAreOneMoreThanThePublishedSums() {
        let ranks = [5, 6, 8, 10, 12, 20, 60].map { HodgesLehmann.rank(count: $0, tail: 0.025) }
        #expect(ranks == [0, 1, 4, 9, 14, 53, 649])
        // 70·71/4 - 1.95996·√(70·71·141/24) = 907.59
        #expect(HodgesLehmann.rank(count: 70, tail: 0.025) == 907)
    }

    // The Walsh averages of 1, 2 and 9 are 1, 1.5, 2, 5, 5.5, 9; their median is 3.5.
    @Test func theEstimateIsTheMedianOfTheMeans() {
        #expect(HodgesLehmann([9, 1, 2])?.estimate == 3.5)
        #expect(HodgesLehmann([9, 1, 2])?.interval() == nil)
        #expect(HodgesLehmann([]) == nil)
        #expect(HodgesLehmann([1, .infinity]) == nil)
    }

    // 78 Walsh averages of twelve numbers, sorted with NumPy: the 14th from each side.
    @Test func theIntervalEndsAtWalshAverages() throws {
        let values = [0.03, -0.01, 0.05, 0.02, 0.04, -0.02, 0.06, 0.01, 0.035, 0.025, -0.005, 0.045]
        let centre = try #require(HodgesLehmann(values))
        #expect(close(centre.estimate, 0.025))
        #expect(close(centre.interval(), 0.0075, 0.04))
    }

    // Coverage over 2000 seeded samples of twelve uniform numbers around 0: the nominal coverage is exactly 1 - 0.0425, with a
    // standard deviation of 0.0045 over this number of samples.
    @Test func theIntervalHasItsNominalCoverage() {
        var random = SeededRandom(seed: 3)
        let covered = (0..<2000).filter { _ in
            let sample = (0..<12).map { _ in random.nextUnit() - 0.5 }
            return HodgesLehmann(sample)?.interval()?.contains(0) == true
        }
        #expect((1890...1940).contains(covered.count))
    }
}
