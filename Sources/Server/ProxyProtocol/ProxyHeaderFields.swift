/// The fields after the addresses in a header.
///
/// Each field has a type, a length and a value.
///
/// The parser evaluates only the checksum, and skips all other fields.
enum ProxyHeaderFields {
    /// The type of the checksum field.
    ///
    /// The checksum is the CRC32C of the whole header, computed with zeros in place of the checksum.
    static let checksumType: UInt8 = 0x03

    /// Checks that the fields fill the header exactly from `start` to `end`, and that the checksum matches.
    ///
    /// - Parameter bytes: the complete header.
    static func check(_ bytes: Span<UInt8>, from start: Int, to end: Int) throws(ProxyHeaderError) {
        var offset = start
        var checksum: Int?
        while offset < end {
            guard end - offset >= 3 else { throw .truncatedField(offset: offset) }
            let value = offset + 3
            let length = Int(ProxyHeaderLayout.integer(bytes, at: offset + 1) as UInt16)
            guard end - value >= length else { throw .truncatedField(offset: offset) }
            if bytes[offset] == checksumType {
                guard length == 4 else { throw .wrongChecksumLength(length) }
                guard checksum == nil else { throw .repeatedChecksum }
                checksum = value
            }
            offset = value + length
        }
        if let checksum { try verify(bytes, checksumAt: checksum, end: end) }
    }

    private static func verify(_ bytes: Span<UInt8>, checksumAt place: Int, end: Int) throws(ProxyHeaderError) {
        var crc = CRC32C()
        for index in 0..<end { crc.update((place..<place + 4).contains(index) ? 0 : bytes[index]) }
        let claimed: UInt32 = ProxyHeaderLayout.integer(bytes, at: place)
        guard claimed == crc.value else { throw .wrongChecksum(claimed: claimed, computed: crc.value) }
    }
}
