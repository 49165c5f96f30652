/// Which variant each slot of a schedule goes to: groups of as many slots as there are variants, each group in a random
/// order of its own.
///
/// Slots of a group are neighbours in time, so that what disturbs the machine meets all variants alike. The order is
/// decided by the seed (Fisher–Yates with `SeededRandom`), each of the orders as likely as the others. Sixteen places of
/// four bits lie in one word: nothing is allocated, and no reference is counted.
public struct PairedSchedule: Sendable {
    /// The most variants that a schedule takes.
    public static let maxVariantCount = 16

    /// How many variants there are, and slots in a group.
    public let variantCount: Int

    private var order: UInt64 = 0
    private var position: Int
    private var random: SeededRandom

    /// Makes a schedule; `nil` where the count is not from 1 to `maxVariantCount`.
    public init?(variantCount: Int, seed: UInt64) {
        guard (1...PairedSchedule.maxVariantCount).contains(variantCount) else { return nil }
        self.variantCount = variantCount
        position = variantCount
        random = SeededRandom(seed: seed)
    }

    /// The variant of the next slot, from 0 up to `variantCount - 1`.
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
