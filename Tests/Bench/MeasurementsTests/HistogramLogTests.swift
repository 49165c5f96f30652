import Foundation
import Measurements
import Testing

@testable import enum Measurements.HistogramEncoding
@testable import enum Measurements.StoredDeflate

@Suite struct HistogramLogTests {
    private static func hexadecimal(_ bytes: [UInt8]) -> String {
        bytes.map { String(Int($0) + 0x100, radix: 16).dropFirst() }.joined()
    }

    // The expected bytes are the encoding of 1, 1, 3 and 300 by PyPI's hdrhistogram 0.10.8. The header contains a
    // cookie, the length of the counts (seven bytes), the offset 0, three digits, the range from 1 ns to an hour, and
    // the ratio 1.0. The counts follow in ZigZag encoding, and a negative number stands for a run of empty counts. The
    // counts are: one empty count (01), the count 2 (04), one empty count (01), the count 1 (02), 296 empty counts (cf
    // 04), and the count 1 (02).
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

    // hdrhistogram encodes the same samples in 3882 bytes with this Adler-32 checksum.
    @Test func aWideHistogramIsEncodedAsByHdrHistogram() {
        let bytes = HistogramEncoding.plain(LatencyHistogramTests.squares().counts)
        #expect(bytes.count == 3882)
        #expect(StoredDeflate.adler32(bytes) == 1_514_169_805)
    }

    // ZigZag encoding maps 0, -1, 1 and -2 to 0, 1, 2 and 3. The result is written in groups of seven bits, the lowest
    // group first. The smallest number takes nine bytes.
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

    // The Adler-32 checksum (RFC 1950) of "Wikipedia" is 11e60398.
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

    /// Creates the log whose text is stored in `Vectors`.
    ///
    /// `scripts/check-histograms` reads the stored log with HdrHistogram's own reader.
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
