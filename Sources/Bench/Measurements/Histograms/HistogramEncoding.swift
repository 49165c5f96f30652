internal import FoundationEssentials
internal import Histogram

/// Encodes histograms in HdrHistogram's V2 format, and in the compressed base64 form that its logs contain.
///
/// The header has 40 bytes in network byte order. The counts follow as ZigZag LEB128 numbers. A sequence of zero counts
/// is encoded as one negative number.
enum HistogramEncoding {
    private static let cookie: UInt32 = 0x1C84_9303 | 0x10
    private static let compressedCookie: UInt32 = 0x1C84_9304 | 0x10

    /// Returns the histogram in the compressed form, encoded in base64.
    ///
    /// The text always begins with `HISTFAAA`.
    static func base64(_ histogram: LatencyHistogram) -> String {
        let compressed = StoredDeflate.zlib(plain(histogram.counts))
        var bytes: [UInt8] = []
        bytes.appendBigEndian(compressedCookie)
        bytes.appendBigEndian(UInt32(compressed.count))
        return Data(bytes + compressed).base64EncodedString()
    }

    static func plain(_ histogram: Histogram<UInt64>) -> [UInt8] {
        let counts = encodedCounts(histogram)
        var bytes: [UInt8] = []
        bytes.appendBigEndian(cookie)
        bytes.appendBigEndian(UInt32(counts.count))
        bytes.appendBigEndian(UInt32(0))  // the normalizing index offset
        bytes.appendBigEndian(UInt32(histogram.numberOfSignificantValueDigits.rawValue))
        bytes.appendBigEndian(histogram.lowestDiscernibleValue)
        bytes.appendBigEndian(histogram.highestTrackableValue)
        bytes.appendBigEndian((1.0).bitPattern)  // the ratio of integer values to floating-point values
        return bytes + counts
    }

    private static func encodedCounts(_ histogram: Histogram<UInt64>) -> [UInt8] {
        var bytes: [UInt8] = []
        var emptyCount: Int64 = 0
        guard histogram.totalCount > 0 else { return bytes }
        for level in histogram.allValues() {
            if level.count == 0 {
                emptyCount += 1
                continue
            }
            if emptyCount > 0 { appendZigZag(-emptyCount, to: &bytes) }
            emptyCount = 0
            appendZigZag(Int64(clamping: level.count), to: &bytes)
            if level.totalCountToThisValue == histogram.totalCount { break }
        }
        return bytes
    }

    /// Appends a number as one to nine bytes.
    ///
    /// The first eight bytes hold seven bits each, and the ninth holds eight.
    static func appendZigZag(_ number: Int64, to bytes: inout [UInt8]) {
        var rest = UInt64(bitPattern: number << 1 ^ number >> 63)
        for _ in 0..<8 {
            if rest < 0x80 { break }
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }
}

extension [UInt8] {
    mutating func appendBigEndian(_ number: some FixedWidthInteger) {
        var shift = number.bitWidth
        while shift > 0 {
            shift -= 8
            append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }
}
