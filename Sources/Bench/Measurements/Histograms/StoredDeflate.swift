/// Encodes bytes as a zlib stream (RFC 1950) of stored, uncompressed deflate blocks (RFC 1951, 3.2.4).
///
/// The blocks are not compressed, because encoded histograms are small and compression would require another library.
enum StoredDeflate {
    private static let longestBlock = 65_535

    static func zlib(_ bytes: [UInt8]) -> [UInt8] {
        var stream: [UInt8] = [0x78, 0x01]
        var start = 0
        repeat {
            let count = min(longestBlock, bytes.count - start)
            let isLast = start + count == bytes.count
            let low = UInt8(truncatingIfNeeded: count)
            let high = UInt8(truncatingIfNeeded: count >> 8)
            stream += [isLast ? 1 : 0, low, high, ~low, ~high]
            stream += bytes[start..<(start + count)]
            start += count
        } while start < bytes.count
        stream.appendBigEndian(adler32(bytes))
        return stream
    }

    static func adler32(_ bytes: [UInt8]) -> UInt32 {
        var low: UInt32 = 1
        var high: UInt32 = 0
        for byte in bytes {
            low = (low + UInt32(byte)) % 65_521
            high = (high + low) % 65_521
        }
        return high << 16 | low
    }
}
