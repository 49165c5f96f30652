/// Addresses that begin with the same bits: `10.0.0.0/8`, `fd00::/8`, or a single one.
public struct AddressBlock: Hashable, Sendable {
    /// The first address of the block.
    public let address: IPAddress

    /// How many leading bits the addresses have in common.
    public let prefixLength: Int

    /// Parses a block in CIDR notation, or an address that stands for itself.
    ///
    /// A block of IPv4-mapped addresses, `::ffff:10.0.0.0/104`, is the block of these IPv4 addresses.
    ///
    /// - Throws: `SocketAddressError`, with what is wrong in which text: a length that is none, bits set behind it, a zone.
    public init(parsing text: String) throws(SocketAddressError) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let first: IPAddress
        do throws(SocketAddressError) { first = try IPAddress(parsing: String(parts[0])) } catch {
            throw SocketAddressError(text, error.reason)
        }
        if case .v6(_, .some) = first { throw SocketAddressError(text, "has a zone, which a block cannot have") }
        let width = first.bitWidth
        let length = try parts.count == 2 ? AddressBlock.length(parts[1], upTo: width, of: text) : width
        let network = first.masked(to: length)
        guard network == first else {
            throw SocketAddressError(text, "has bits set behind its first \(length); the block is \(network)/\(length)")
        }
        if case .v4 = first.unmapped, case .v6 = first, length >= 96 {
            self.init(address: first.unmapped, prefixLength: length - 96)
        } else {
            self.init(address: first, prefixLength: length)
        }
    }

    private init(address: IPAddress, prefixLength: Int) {
        self.address = address
        self.prefixLength = prefixLength
    }

    /// Whether an address is one of the block.
    ///
    /// An IPv4-mapped address (`::ffff:10.0.0.1`) is the IPv4 address, and in no block of IPv6. A zone does not matter.
    public func contains(_ other: IPAddress) -> Bool {
        switch (address, other.unmapped) {
        case (.v4, .v4(let bits)): IPAddress.v4(bits).masked(to: prefixLength) == address
        case (.v6, .v6(let bits, _)): IPAddress.v6(bits, zone: nil).masked(to: prefixLength) == address
        case (.v4, .v6), (.v6, .v4): false
        }
    }

    private static func length(
        _ digits: Substring, upTo width: Int, of text: String
    ) throws(SocketAddressError) -> Int {
        // Swift's own parser would accept a sign; a leading zero is refused as in an address.
        guard let length = Int(digits), (0...width).contains(length), String(length) == digits else {
            throw SocketAddressError(text, "has no number of bits from 0 to \(width) after '/'")
        }
        return length
    }
}

extension AddressBlock: CustomStringConvertible {
    /// The first address, `/`, and the number of leading bits.
    public var description: String { "\(address)/\(prefixLength)" }
}

extension IPAddress {
    fileprivate var bitWidth: Int {
        switch self {
        case .v4: UInt32.bitWidth
        case .v6: UInt128.bitWidth
        }
    }

    /// The address with all but its leading bits cleared.
    fileprivate func masked(to length: Int) -> IPAddress {
        // A shift by the whole width or more gives zero.
        switch self {
        case .v4(let bits): .v4(bits & (UInt32.max << (32 - length)))
        case .v6(let bits, let zone): .v6(bits & (UInt128.max << (128 - length)), zone: zone)
        }
    }

    /// The IPv4 address that an IPv4-mapped one stands for; any other as it is.
    fileprivate var unmapped: IPAddress {
        guard case .v6(let bits, _) = self, bits >> 32 == 0xFFFF else { return self }
        return .v4(UInt32(truncatingIfNeeded: bits))
    }
}
