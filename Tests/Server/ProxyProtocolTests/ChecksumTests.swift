import Testing

@testable import ProxyProtocol

@Suite struct ChecksumTests {
    private func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
        var crc = CRC32C()
        for byte in bytes { crc.update(byte) }
        return crc.value
    }

    /// The expected values are the CRC-32C check value of "123456789" and the examples of RFC 3720, appendix B.4.
    @Test func agreesWithPublishedValues() {
        #expect(checksum([]) == 0)
        #expect(checksum("123456789".utf8) == 0xE306_9283)
        #expect(checksum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(checksum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(checksum(0..<32) == 0x46DD_794E)
        #expect(checksum((0..<32).reversed()) == 0x113F_DB5C)
    }

    /// Returns a header with a valid checksum between other fields.
    ///
    /// - Parameter bit: the bit to change after the checksum has been computed, or `nil` to change nothing.
    private func header(changing bit: Int? = nil) -> [UInt8] {
        let fields =
            HeaderBytes.field(4, [0, 0]) + HeaderBytes.field(3, [0, 0, 0, 0]) + HeaderBytes.field(2, [65, 66])
        var bytes = HeaderBytes.header(0x11, HeaderBytes.ipv4Addresses + fields)
        let sum = checksum(bytes)
        for index in 0..<4 { bytes[36 + index] = UInt8(sum >> (24 - 8 * index) & 0xFF) }
        if let bit { bytes[bit / 8] ^= 1 << (bit % 8) }
        return bytes
    }

    @Test func aHeaderWithItsChecksumIsAccepted() {
        #expect(Outcome.isComplete(Outcome(of: header()).progress))
        #expect(Outcome(of: header()).consumed == 45)
    }

    @Test func noChangedBitIsAccepted() {
        for bit in 0..<45 * 8 where !(28..<36).contains(bit / 8) {
            // This bit turns the command PROXY into LOCAL. After LOCAL, the parser skips the remaining header.
            if bit == 12 * 8 { continue }
            #expect(!Outcome.isComplete(Outcome(of: header(changing: bit)).progress), "bit \(bit)")
        }
    }

    @Test func aWrongChecksumIsAnError() {
        let bytes = header(changing: 16 * 8)
        guard case .malformed(.wrongChecksum(let claimed, let computed)) = Outcome(of: bytes).progress else {
            Issue.record("the header was accepted")
            return
        }
        #expect(claimed != computed)
    }
}
