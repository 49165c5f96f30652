@testable import Measurements
import Testing

@Suite struct ResultTests {
    @Test func pairsAreTallied() {
        var tally = PairTally()
        #expect(tally.probability == nil)
        tally.record(reference: 2, candidate: 1)
        tally.record(reference: 1, candidate: 2)
        tally.record(reference: 1, candidate: 2)
        tally.record(reference: 3, candidate: 3)
        #expect(tally == PairTally(pairs: 4, referenceSlower: 1, ties: 1))
        #expect(tally.probability == 0.375)
    }

    @Test func aBlockKeepsItsQuantiles() {
        var histogram = LatencyHistogram()
        for value in 1...1000 { histogram.record(nanoseconds: UInt64(value)) }
        let block = VariantBlock(response: histogram, wire: nil, percentiles: [.p50, .p99])
        #expect(block == VariantBlock(count: 1000, responseNanoseconds: [500, 990], wireNanoseconds: []))
        #expect(Percentile.compared.map(\.description) == ["p50", "p75", "p90", "p95", "p99", "p99.5", "p99.9"])
    }

    // The curve ends at the fraction 0.75, because only ten of the 40 samples lie above it. The curve has four steps up
    // to 0.5, and four shorter steps up to 0.75.
    @Test func theCurveEndsWhereTenSamplesAreLeft() {
        var histogram = LatencyHistogram()
        for value in 1...40 { histogram.record(nanoseconds: UInt64(value)) }
        let curve = histogram.curve()
        #expect(curve.map(\.fraction) == [0, 0.125, 0.25, 0.375, 0.5, 0.5625, 0.625, 0.6875, 0.75])
        #expect(curve.map(\.nanoseconds) == [1, 5, 10, 15, 20, 23, 25, 28, 30])
    }

    @Test func aSummarySaysHowManyRequestsAreMissing() {
        var histogram = LatencyHistogram()
        for _ in 0..<100 { histogram.record(nanoseconds: 700) }
        let summary = LatencySummary(.wire, histogram)
        #expect(summary.nanoseconds(at: .p90) == 700)
        #expect(summary.nanoseconds(at: .p99) == nil)
        #expect(summary.readings.map(\.needsMore) == [nil, nil, 900, 9900, 99_900])
        #expect(LatencySummary(.wire, LatencyHistogram()).curve.isEmpty)
    }

    // Three rows per decade from 1 µs to 1 ms make nine rows. The first row also counts smaller values, and the last
    // row also counts larger values.
    @Test func aHeatMapIsLogarithmic() throws {
        var map = try #require(
            HeatMap(
                variant: "x", clock: .wire, columns: 4, columnSeconds: 0.5, rows: 9, lowestNanoseconds: 1000,
                highestNanoseconds: 1_000_000))
        map.record(atSeconds: 0, nanoseconds: 0)
        map.record(atSeconds: 0.49, nanoseconds: 1000)
        map.record(atSeconds: 0.5, nanoseconds: 10_001)
        map.record(atSeconds: 99, nanoseconds: 999_000)
        map.record(atSeconds: -1, nanoseconds: 5_000_000)
        #expect(map.count(column: 0, row: 0) == 2)
        #expect(map.count(column: 1, row: 3) == 1)
        #expect(map.count(column: 3, row: 8) == 1)
        #expect(map.count(column: 0, row: 8) == 1)
        #expect(map.counts.reduce(0, +) == 5)
        #expect(map.count(column: 4, row: 0) == 0)
        #expect(close(map.floor(ofRow: 3), 10_000))
    }

    @Test func aHeatMapNeedsBounds() {
        func map(_ columns: Int, _ low: Double, _ high: Double) -> HeatMap? {
            HeatMap(
                variant: "x", clock: .wire, columns: columns, columnSeconds: 1, rows: 9, lowestNanoseconds: low,
                highestNanoseconds: high)
        }
        #expect(map(0, 1, 2) == nil)
        #expect(map(1, 0, 2) == nil)
        #expect(map(1, 2, 2) == nil)
        #expect(map(1, 1, .infinity) == nil)
        #expect(map(.max, 1, 2) == nil)
    }

    // The strip divides five samples into columns of three and two, and keeps the greatest value of each column.
    @Test func theStripKeepsTheWorstOfEachColumn() {
        let samples = [1.0, 5, 2, 4, 3].map { PlatformSample(hiccupMicroseconds: $0, stealShare: $0 / 100) }
        let strip = PlatformStrip(samples, sampleSeconds: 0.1, maxColumns: 2, rule: DisturbanceRule())
        #expect(strip.hiccupMicroseconds == [5, 4])
        #expect(strip.stealShare == [0.05, 0.04])
        #expect(close(strip.columnSeconds, 0.3))
        #expect(close(strip.meanStealShare, 0.03))
        #expect(PlatformStrip([], sampleSeconds: 0.1, rule: DisturbanceRule()).hiccupMicroseconds.isEmpty)
    }

    @Test func anOverloadedGeneratorHasObjections() {
        func objections(late: Double, ceiling: Double?) -> [String] {
            GeneratorCheck(lagP50Nanoseconds: 1, lagP99Nanoseconds: 2, lateShare: late, ceilingShare: ceiling)
                .objections
        }
        #expect(objections(late: 0.01, ceiling: 0.7) == [])
        #expect(objections(late: 0.011, ceiling: nil) == ["1.1% of the requests were sent late"])
        #expect(objections(late: 0, ceiling: 0.71) == ["the load was 71.0% of the load generator's highest rate"])
    }

    @Test func aResultWithFaultsIsNotClean() {
        #expect(ExchangeFaults().isClean)
        var contended = ExchangeFaults()
        contended.contendedSlots = 4
        #expect(contended.isClean)
        var lost = ExchangeFaults()
        lost.lostBytes = 1
        #expect(!lost.isClean)
    }
}
