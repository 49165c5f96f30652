#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// An IPv4 or IPv6 address without a port.
public enum IPAddress: Hashable, Sendable {
    /// An IPv4 address. The first octet is in the most significant bits.
    case v4(UInt32)
    /// An IPv6 address. A link-local address can have a zone, which is the name or number of a network interface.
    case v6(UInt128, zone: String?)

    /// Parses an address, for example `127.0.0.1`, `::1` or `fe80::1%eth0`.
    ///
    /// - Throws: `SocketAddressError` if the text is not an address.
    public init(parsing text: String) throws(SocketAddressError) {
        if text.isEmpty { throw SocketAddressError(text, "is empty") }
        if !text.contains(":") {
            guard let bits: UInt32 = IPAddress.bits(text, AF_INET) else {
                throw SocketAddressError(text, "is not an IPv4 address of four numbers from 0 to 255")
            }
            self = .v4(bits)
            return
        }
        let parts = text.split(separator: "%", maxSplits: 1, omittingEmptySubsequences: false)
        let zone = parts.count == 2 ? String(parts[1]) : nil
        if let zone, zone.isEmpty || zone.utf8.count > 15 || zone.contains("%") {
            throw SocketAddressError(text, "has no valid zone after '%'")
        }
        guard let bits: UInt128 = IPAddress.bits(String(parts[0]), AF_INET6) else {
            throw SocketAddressError(text, "is not an IPv6 address")
        }
        self = .v6(bits, zone: zone)
    }
}

extension IPAddress: CustomStringConvertible {
    /// The canonical text of the address.
    ///
    /// An IPv6 address is written as in RFC 5952, where `::` replaces the longest run of zero groups.
    public var description: String {
        switch self {
        case .v4(let bits):
            return (0..<4).map { String(bits >> (24 - 8 * $0) & 0xFF) }.joined(separator: ".")
        case .v6(let bits, let zone):
            let text = IPAddress.describe(bits)
            return zone.map { "\(text)%\($0)" } ?? text
        }
    }
}

extension IPAddress: Comparable {
    /// Orders addresses by family (IPv4 before IPv6), then by their bits, then by zone.
    public static func < (left: IPAddress, right: IPAddress) -> Bool {
        switch (left, right) {
        case (.v4(let a), .v4(let b)): a < b
        case (.v4, .v6): true
        case (.v6, .v4): false
        case (.v6(let a, let zoneA), .v6(let b, let zoneB)): a == b ? (zoneA ?? "") < (zoneB ?? "") : a < b
        }
    }
}

// MARK: - Reading and writing

extension IPAddress {
    private static func describe(_ bits: UInt128) -> String {
        let groups = (0..<8).map { UInt32(truncatingIfNeeded: bits >> (112 - 16 * $0)) & 0xFFFF }
        if groups[0..<5].allSatisfy({ $0 == 0 }), groups[5] == 0xFFFF {
            return "::ffff:\(IPAddress.v4(groups[6] << 16 | groups[7]))"
        }
        guard let run = longestZeroRun(groups) else { return text(groups[...]) }
        return text(groups[..<run.lowerBound]) + "::" + text(groups[run.upperBound...])
    }

    /// Returns the longest run of at least two zero groups, or `nil` if there is none.
    ///
    /// If several runs are equally long, the function returns the first of them.
    private static func longestZeroRun(_ groups: [UInt32]) -> Range<Int>? {
        var best: Range<Int>?
        var start = 0
        while start < groups.count {
            var end = start
            while end < groups.count, groups[end] == 0 { end += 1 }
            if end - start >= 2, end - start > best?.count ?? 0 { best = start..<end }
            start = max(end, start + 1)
        }
        return best
    }

    private static func text(_ groups: ArraySlice<UInt32>) -> String {
        groups.map { String($0, radix: 16) }.joined(separator: ":")
    }
}
