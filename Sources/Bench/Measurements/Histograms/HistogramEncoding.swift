internal import FoundationEssentials
internal import Histogram

/// Encodes histograms in HdrHistogram's encoding V2, and in its compressed form in base64, which logs contain.
///
/// The header is 40 bytes in network order. The counts follow as ZigZag LEB128 numbers; a run of empty counts is one
/// negative number.
enum HistogramEncoding {
    private static let cookie: UInt32 = 0x1C84_9303 | 0x10
    private static let compressedCookie: UInt32 = 0x1C84_9304 | 0x10

    /// The compressed form, in base64: always begins with `HISTFAAA`.
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
        bytes.appendBigEndian((1.0).bitPattern)  // the ratio of integers to doubles
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

    /// Appends a number in one to nine bytes of seven bits each; the ninth byte has eight.
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
