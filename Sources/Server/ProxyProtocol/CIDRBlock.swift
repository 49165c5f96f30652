public import SocketAddresses

/// A range of addresses with a common prefix, for example `10.0.0.0/8` or `fd00::/8`.
public struct CIDRBlock: Hashable, Sendable {
    /// The first address of the block.
    public let address: IPAddress

    /// The number of leading bits that the addresses have in common.
    public let prefixLength: Int

    /// Parses a block in CIDR notation, or a single address.
    ///
    /// A block of IPv4-mapped addresses becomes a block of IPv4 addresses. For example, `::ffff:10.0.0.0/104` becomes
    /// `10.0.0.0/8`.
    ///
    /// - Throws: `SocketAddressError` if the address or the length is invalid, if bits are set after the prefix, or if
    ///   the address has a zone.
    public init(parsing text: String) throws(SocketAddressError) {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let first: IPAddress
        do throws(SocketAddressError) { first = try IPAddress(parsing: String(parts[0])) } catch {
            throw SocketAddressError(text, error.reason)
        }
        if case .v6(_, .some) = first { throw SocketAddressError(text, "must not have a zone") }
        let length = try parts.count == 2 ? CIDRBlock.length(parts[1], upTo: first.bitWidth, of: text) : first.bitWidth
        let network = first.masked(to: length)
        guard network == first else {
            throw SocketAddressError(text, "has bits set after its prefix; use \(network)/\(length)")
        }
        let isMapped = first.unmapped != first && length >= 96
        address = isMapped ? first.unmapped : first
        prefixLength = isMapped ? length - 96 : length
    }

    /// Whether the block contains an address.
    ///
    /// An IPv4-mapped address, for example `::ffff:10.0.0.1`, counts as the IPv4 address inside it. A zone is ignored.
    public func contains(_ other: IPAddress) -> Bool {
        let other = other.unmapped
        return other.bitWidth == address.bitWidth && other.masked(to: prefixLength) == address
    }

    private static func length(
        _ digits: Substring, upTo width: Int, of text: String
    ) throws(SocketAddressError) -> Int {
        // The last condition rejects a sign and leading zeros, which `Int.init` accepts.
        guard let length = Int(digits), (0...width).contains(length), String(length) == digits else {
            throw SocketAddressError(text, "must have a prefix length from 0 to \(width) after '/'")
        }
        return length
    }
}

extension CIDRBlock: CustomStringConvertible {
    /// The block in CIDR notation, which always includes the length of the prefix.
    public var description: String { "\(address)/\(prefixLength)" }
}

extension IPAddress {
    fileprivate var bitWidth: Int {
        switch self {
        case .v4: UInt32.bitWidth
        case .v6: UInt128.bitWidth
        }
    }

    /// Returns the address with all bits after its prefix cleared, and without its zone.
    fileprivate func masked(to length: Int) -> IPAddress {
        // Shifting by the width or more gives zero, so a length of 0 needs no special case.
        switch self {
        case .v4(let bits): .v4(bits & (UInt32.max << (32 - length)))
        case .v6(let bits, _): .v6(bits & (UInt128.max << (128 - length)), zone: nil)
        }
    }

    /// The IPv4 address inside an IPv4-mapped address; any other address stays unchanged.
    fileprivate var unmapped: IPAddress {
        guard case .v6(let bits, _) = self, bits >> 32 == 0xFFFF else { return self }
        return .v4(UInt32(truncatingIfNeeded: bits))
    }
}
