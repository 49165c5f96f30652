/// A CRC32C checksum (RFC 4960, appendix B).
struct CRC32C {
    private var register: UInt32 = .max

    /// The lookup table of `update`: the CRC remainder of each possible byte value.
    ///
    /// 0x82F63B78 is the polynomial 0x1EDC6F41 with its bits reversed.
    private static let table: [UInt32] = (0..<256).map { byte in
        (0..<8).reduce(UInt32(byte)) { bits, _ in bits & 1 == 1 ? bits >> 1 ^ 0x82F6_3B78 : bits >> 1 }
    }

    /// Adds a byte to the checksum.
    mutating func update(_ byte: UInt8) {
        register = register >> 8 ^ CRC32C.table[Int(UInt8(truncatingIfNeeded: register) ^ byte)]
    }

    /// The checksum of the bytes added so far.
    var value: UInt32 { ~register }
}
