/// The checksum CRC32C, of Castagnoli's polynomial (RFC 4960, appendix B).
struct CRC32C {
    private var register: UInt32 = .max

    /// What each byte does to the register, where the polynomial 0x1EDC6F41 is read from its lowest bit.
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { bits, _ in bits & 1 == 1 ? bits >> 1 ^ 0x82F6_3B78 : bits >> 1 }
    }

    /// Adds a byte.
    mutating func update(_ byte: UInt8) {
        register = register >> 8 ^ CRC32C.table[Int(UInt8(truncatingIfNeeded: register) ^ byte)]
    }

    /// The checksum of all bytes so far.
    var value: UInt32 { ~register }
}
