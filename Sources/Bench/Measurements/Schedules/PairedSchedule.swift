/// Assigns requests to servers in groups.
///
/// Each group has one request to each server, in random order.
///
/// The requests of a group follow each other directly, so a disturbance affects all servers alike. Every order is
/// equally likely (Fisher–Yates shuffle with `SeededRandom`). The order is stored as sixteen 4-bit entries in one word,
/// so that shuffling does not allocate.
public struct PairedSchedule: Sendable {
    /// The maximum number of servers.
    public static let maxVariantCount = 16

    /// The number of servers, which is also the number of requests in a group.
    public let variantCount: Int

    private var order: UInt64 = 0
    private var position: Int
    private var random: SeededRandom

    /// Makes a schedule; `nil` unless the count is between 1 and `maxVariantCount`.
    public init?(variantCount: Int, seed: UInt64) {
        guard (1...PairedSchedule.maxVariantCount).contains(variantCount) else { return nil }
        self.variantCount = variantCount
        position = variantCount
        random = SeededRandom(seed: seed)
    }

    /// Returns the server of the next request, as an index below `variantCount`.
    public mutating func next() -> Int {
        if position == variantCount { startGroup() }
        defer { position += 1 }
        return Int(entry(position))
    }

    private mutating func startGroup() {
        position = 0
        order = 0xFEDC_BA98_7654_3210
        var remaining = variantCount
        while remaining > 1 {
            exchange(remaining - 1, Int(random.next(below: UInt64(remaining))))
            remaining -= 1
        }
    }

    private func entry(_ index: Int) -> UInt64 { order >> UInt64(4 * index) & 0xF }

    private mutating func exchange(_ first: Int, _ second: Int) {
        let difference = entry(first) ^ entry(second)
        order ^= difference << UInt64(4 * first)
        if first != second { order ^= difference << UInt64(4 * second) }
    }
}
