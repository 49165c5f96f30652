import Measurements
import Testing

@Suite struct LatencyHistogramTests {
    /// Returns a histogram of 2002 samples, which are 0, the squares of 1 to 2000, and ten seconds.
    static func squares() -> LatencyHistogram {
        var histogram = LatencyHistogram()
        histogram.record(nanoseconds: 0)
        for number in 1...2000 { histogram.record(nanoseconds: UInt64(number * number)) }
        histogram.record(nanoseconds: 10_000_000_000)
        return histogram
    }

    // The expected values are the results of PyPI's hdrhistogram 0.10.8 for the same samples.
    @Test func readingsAreThoseOfHdrHistogram() {
        let histogram = LatencyHistogramTests.squares()
        #expect(histogram.count == 2002)
        #expect(histogram.reading(at: .p50).nanoseconds == 1_000_447)
        #expect(histogram.reading(at: .p90).nanoseconds == 3_244_031)
        #expect(histogram.reading(at: .p99).nanoseconds == 3_926_015)
        #expect(histogram.min == 0)
        #expect(histogram.max == 10_000_000_000)
        #expect(histogram.mean.map { ($0 - 6_329_740.275).magnitude < 0.001 } == true)
    }

    // Only two of 2002 samples lie above p99.9. Ten samples would lie above p99.9 if there were 10 000.
    @Test func aPercentileWithFewerThanTenSamplesAboveIsNotReported() {
        let histogram = LatencyHistogramTests.squares()
        #expect(histogram.reading(at: .p999).needsMore == 7998)
        #expect(histogram.reading(at: .p999).nanoseconds == nil)
        #expect(histogram.quantile(at: .p999) == 3_997_695)
    }

    @Test(arguments: [(Percentile.p50, UInt64(20)), (.p90, 100), (.p99, 1000), (.p999, 10_000), (.p9999, 100_000)])
    func aPercentileIsReportedFromTheTenthSampleAboveIt(percentile: Percentile, required: UInt64) {
        #expect(percentile.requiredCount == required)
        var histogram = LatencyHistogram()
        for _ in 1..<required { histogram.record(nanoseconds: 1000) }
        #expect(histogram.reading(at: percentile).needsMore == 1)
        histogram.record(nanoseconds: 1000)
        #expect(histogram.reading(at: percentile).nanoseconds == 1000)
    }

    @Test func anEmptyHistogramHasNoPercentiles() {
        let histogram = LatencyHistogram()
        #expect(histogram.reading(at: .p50).needsMore == 20)
        #expect(histogram.min == nil)
        #expect(histogram.max == nil)
        #expect(histogram.mean == nil)
        #expect(histogram.quantile(at: .p50) == nil)
    }

    @Test func mergedHistogramsHoldTheSamplesOfBoth() {
        var fast = LatencyHistogram()
        var slow = LatencyHistogram()
        for _ in 0..<60 { fast.record(nanoseconds: 100) }
        for _ in 0..<40 { slow.record(nanoseconds: 200) }
        fast.merge(slow)
        #expect(fast.count == 100)
        #expect(fast.reading(at: .p50).nanoseconds == 100)
        #expect(fast.reading(at: .p90).nanoseconds == 200)
        fast.reset()
        #expect(fast.count == 0)
    }

    @Test func aDurationAboveAnHourIsCountedAsAnHour() {
        var histogram = LatencyHistogram()
        histogram.record(nanoseconds: LatencyHistogram.longestNanoseconds)
        histogram.record(nanoseconds: .max)
        #expect(histogram.count == 2)
        #expect(histogram.max == LatencyHistogram.longestNanoseconds)
    }

    @Test func percentilesAreNamedAsUsual() {
        #expect(Percentile.reported.map(\.description) == ["p50", "p90", "p99", "p99.9", "p99.99"])
        #expect(Percentile(millionths: 999_999)?.description == "p99.9999")
        #expect(Percentile(millionths: 1_000_000) == nil)
        #expect(Percentile(millionths: -1) == nil)
        #expect(Percentile.p50 < .p999)
    }
}
