import Testing

@testable import Measurements

// The expected numbers come from SciPy 1.17, except those that a comment derives.
@Suite struct DistributionTests {
    // Beta(2, 5) at 0.3 is the probability of at least 2 hits in 6 trials, each with the probability 0.3. The result is
    // 1 - 0.7⁶ - 6·0.3·0.7⁵ = 0.579825.
    @Test func theBetaDistributionIsExact() {
        #expect(close(BetaDistribution.cumulative(0.3, 2, 5), 0.579825))
        #expect(close(BetaDistribution.cumulative(0.9, 0.5, 0.5), 0.7951672353008665))
        #expect(close(BetaDistribution.cumulative(0.5, 200, 180), 0.15212954940791235))
        #expect(BetaDistribution.cumulative(0, 2, 5) == 0)
        #expect(BetaDistribution.cumulative(1, 2, 5) == 1)
    }

    @Test func theNormalDistributionAndItsInverse() {
        #expect(close(NormalDistribution.cumulative(-1), 0.15865525393145707))
        #expect(close(NormalDistribution.cumulative(2.5), 0.9937903346742238))
        #expect(close(NormalDistribution.quantile(0.975), 1.959963984540054))
    }

    @Test func studentsCriticalValues() {
        let expected = [
            (1.0, 12.706204736174694), (2, 4.302652729749462), (4, 2.7764451051977934), (100, 1.983971518523552),
        ]
        for (degrees, value) in expected {
            #expect(close(StudentDistribution.critical(twoSided: 0.05, degrees: degrees), value))
        }
        #expect(close(StudentDistribution.twoSided(2.5, degrees: 3), 0.08770664700806556))
    }

    // With 1 and 6 degrees of freedom, the variance ratio is the square of Student's t with 6 degrees of freedom.
    @Test func theRatioOfVariances() {
        #expect(close(VarianceRatioDistribution.above(2, 2, 17), 0.16594028302331357))
        #expect(close(VarianceRatioDistribution.above(0.5, 4, 15), 0.7362386107458812))
        #expect(close(VarianceRatioDistribution.above(10, 1, 6), 0.019508635641151913))
        #expect(
            close(
                VarianceRatioDistribution.above(6.25, 1, 6), StudentDistribution.twoSided(2.5, degrees: 6)))
        #expect(VarianceRatioDistribution.above(.infinity, 1, 6) == 0)
    }

    // The expected values are numpy.quantile([1, 2, 4, 8, 16], [.1, .5, .9]), which interpolates at the indices 0.4, 2
    // and 3.6.
    @Test func quantilesLieBetweenNeighbours() {
        let sample = OrderedSample([16, 1, 8, .nan, 2, 4])
        #expect(close(sample.quantile(0.1), 1.4))
        #expect(sample.median == 4)
        #expect(close(sample.quantile(0.9), 12.8))
        #expect(sample.quantile(-1) == 1)
        #expect(sample.quantile(2) == 16)
        #expect(OrderedSample([3, 1, 2, 10]).median == 2.5)
        #expect(OrderedSample([]).median == nil)
    }

    // Holm's correction multiplies the sorted p-values by 4, 3, 2 and 1, which gives 0.04, 0.06, 0.06 and 0.04. No
    // value may be less than the previous value, so the last value becomes 0.06.
    @Test func holmMultipliesAndNeverFalls() {
        let adjusted = HolmCorrection.adjusted([0.04, 0.01, 0.03, 0.02])
        #expect(zip(adjusted, [0.06, 0.04, 0.06, 0.06]).allSatisfy { close($0, $1) })
        #expect(HolmCorrection.adjusted([0.9, 0.8]) == [1, 1])
        #expect(HolmCorrection.adjusted([]) == [])
    }
}
