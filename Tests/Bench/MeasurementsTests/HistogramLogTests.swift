import Foundation
import Measurements
import Testing

@testable import enum Measurements.HistogramEncoding
@testable import enum Measurements.StoredDeflate

@Suite struct HistogramLogTests {
    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { String(Int($0) + 0x100, radix: 16).dropFirst() }.joined()
    }

    // What PyPI's hdrhistogram 0.10.8 encodes for 1, 1, 3 and 300: the header (cookie, seven bytes of counts, offset 0,
    // three digits, from 1, to an hour, ratio 1.0), then one empty count (-1 is 01), two ones (04), one empty, one three
    // (02), 296 empty (-296 is 591 = cf 04), and one.
    @Test func encodingIsThatOfHdrHistogram() {
        var histogram = LatencyHistogram()
        for value: UInt64 in [1, 1, 3, 300] { histogram.record(nanoseconds: value) }
        #expect(
            HistogramLogTests.hexadecimal(HistogramEncoding.plain(histogram.counts))
                == "1c84931300000007000000000000000300000000000000010000034630b8a0003ff0000000000000" + "01040102cf0402"
        )
    }

    @Test func anEmptyHistogramIsAHeader() {
        #expect(HistogramEncoding.plain(LatencyHistogram().counts).count == 40)
    }

    // 3882 bytes with this Adler-32 are what hdrhistogram encodes for the same samples.
    @Test func aWideHistogramIsEncodedAsByHdrHistogram() {
        let bytes = HistogramEncoding.plain(LatencyHistogramTests.squares().counts)
        #expect(bytes.count == 3882)
        #expect(StoredDeflate.adler32(bytes) == 1_514_169_805)
    }

    // ZigZag: 0 -1 1 -2 are 0 1 2 3; then seven bits a byte, low ones first; the smallest number takes nine bytes.
    @Test func numbersAreZigZagged() {
        let expected: [(Int64, String)] = [
            (0, "00"), (-1, "01"), (1, "02"), (63, "7e"), (64, "8001"), (-65, "8101"), (.min, "ffffffffffffffffff"),
            (.max, "feffffffffffffffff"),
        ]
        for (number, bytes) in expected {
            var encoded: [UInt8] = []
            HistogramEncoding.appendZigZag(number, to: &encoded)
            #expect(HistogramLogTests.hexadecimal(encoded) == bytes)
        }
    }

    // RFC 1950: "Wikipedia" has the Adler-32 11e60398.
    @Test func aStreamIsStoredBlocksAndASum() {
        #expect(
            HistogramLogTests.hexadecimal(StoredDeflate.zlib([UInt8]("Wikipedia".utf8)))
                == "7801" + "010900f6ff" + "57696b697065646961" + "11e60398")
        #expect(HistogramLogTests.hexadecimal(StoredDeflate.zlib([])) == "7801" + "010000ffff" + "00000001")
        let long = StoredDeflate.zlib([UInt8](repeating: 0, count: 65_536))
        #expect(long.count == 2 + 5 + 65_535 + 5 + 1 + 4)
        #expect(long[2] == 0)
        #expect(long[2 + 5 + 65_535] == 1)
    }

    /// The log that lies in `Vectors`, and that `scripts/check-histograms` reads with HdrHistogram's own reader.
    private static func sample() -> HistogramLog {
        var log = HistogramLog(startSeconds: 1_700_000_000.5, comments: ["a sample of squares\nand of nothing"])
        log.append(LatencyHistogramTests.squares(), start: .zero, length: .seconds(1), tag: "response time")
        log.append(LatencyHistogram(), start: .seconds(1), length: .milliseconds(500))
        return log
    }

    @Test func aLogRoundTripsThroughItsReader() throws {
        let file = try #require(
            Bundle.module.url(forResource: "squares", withExtension: "hlog", subdirectory: "Vectors"))
        #expect(try HistogramLogTests.sample().text == String(contentsOf: file, encoding: .utf8))
    }

    @Test func aPercentileDistributionHasTheFormatOfItsPlotter() {
        let lines = LatencyHistogramTests.squares().percentileDistribution(ticksPerHalfDistance: 1)
            .split(separator: "\n").map(String.init)
        #expect(lines.first == "       Value     Percentile TotalCount 1/(1-Percentile)")
        #expect(lines.contains("    1000.447 0.500000000000       1001           2.00"))
        #expect(lines.last == "#[Buckets =           32, SubBuckets     =         2048]")
    }
}
