/// An IPv4 or IPv6 address without a port.
public enum IPAddress: Hashable, Sendable {
    /// An IPv4 address: 32 bits, with the first octet in the highest ones.
    case v4(UInt32)
    /// An IPv6 address: 128 bits, and the zone of a link-local address, which is an interface's name or number.
    case v6(UInt128, zone: String?)

    /// Parses an address, for example `127.0.0.1`, `::1` or `fe80::1%eth0`.
    ///
    /// - Throws: `SocketAddressError` if the text is not an address.
    public init(parsing text: String) throws(SocketAddressError) {
        if text.isEmpty { throw SocketAddressError(text, "is empty") }
        if !text.contains(":") {
            guard let bits = IPAddress.parseV4(Array(text.utf8)[...]) else {
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
        guard let bits = IPAddress.parseV6(Array(parts[0].utf8)) else {
            throw SocketAddressError(text, "is not an IPv6 address")
        }
        self = .v6(bits, zone: zone)
    }
}

extension IPAddress: CustomStringConvertible {
    /// The canonical form (RFC 5952): lower case, with the longest run of zero groups as `::`.
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
    /// Orders IPv4 before IPv6 addresses, then by number, then by zone.
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
    private static func parseV4(_ text: ArraySlice<UInt8>) -> UInt32? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bits: UInt32 = 0
        for part in parts {
            // Some parsers read a leading zero as octal and others as decimal.
            guard let octet = number(part, digits: 3, radix: 10), octet <= 255,
                part.count == 1 || part.first != UInt8(ascii: "0")
            else { return nil }
            bits = bits << 8 | octet
        }
        return bits
    }

    private static func parseV6(_ text: [UInt8]) -> UInt128? {
        // At most one "::" stands for the missing groups.
        let gaps = text.indices.dropLast().filter { text[$0] == colon && text[$0 + 1] == colon }
        guard gaps.count <= 1 else { return nil }
        guard let gap = gaps.first else {
            guard let groups = groups(text[...], isLast: true), groups.count == 8 else { return nil }
            return join(groups)
        }
        guard let head = groups(text[..<gap], isLast: false), let tail = groups(text[(gap + 2)...], isLast: true),
            head.count + tail.count < 8
        else { return nil }
        return join(head + Array(repeating: 0, count: 8 - head.count - tail.count) + tail)
    }

    /// The 16-bit groups in a part of an address, whose last two may be an IPv4 address.
    private static func groups(_ text: ArraySlice<UInt8>, isLast: Bool) -> [UInt32]? {
        if text.isEmpty { return [] }
        var result: [UInt32] = []
        let parts = text.split(separator: colon, omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            if isLast, part.contains(UInt8(ascii: ".")), index == parts.count - 1 {
                guard let bits = parseV4(part) else { return nil }
                result += [bits >> 16, bits & 0xFFFF]
            } else {
                guard let group = number(part, digits: 4, radix: 16) else { return nil }
                result.append(group)
            }
        }
        return result.count <= 8 ? result : nil
    }

    private static func join(_ groups: [UInt32]) -> UInt128 { groups.reduce(0) { $0 << 16 | UInt128($1) } }

    private static var colon: UInt8 { UInt8(ascii: ":") }

    /// A number of at most `digits` digits without a sign, which Swift's parser would accept.
    private static func number(_ text: ArraySlice<UInt8>, digits: Int, radix: Int) -> UInt32? {
        guard (1...digits).contains(text.count), text.first != UInt8(ascii: "+"), text.first != UInt8(ascii: "-")
        else { return nil }
        return UInt32(String(decoding: text, as: UTF8.self), radix: radix)
    }

    private static func describe(_ bits: UInt128) -> String {
        let groups = (0..<8).map { UInt32(truncatingIfNeeded: bits >> (112 - 16 * $0)) & 0xFFFF }
        if groups[0..<5].allSatisfy({ $0 == 0 }), groups[5] == 0xFFFF {
            return "::ffff:\(IPAddress.v4(groups[6] << 16 | groups[7]))"
        }
        guard let run = longestZeroRun(groups) else { return text(groups[...]) }
        return text(groups[..<run.lowerBound]) + "::" + text(groups[run.upperBound...])
    }

    /// The first of the longest runs of at least two zero groups.
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
