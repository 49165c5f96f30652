/// The sizes of payloads, with the weight of each.
public struct PayloadSizes: Hashable, Sendable {
    /// One of the sizes.
    public struct Share: Hashable, Sendable {
        /// Bytes between the delimiters of a message.
        public let byteCount: Int
        /// How often the size is sent, relative to the other weights.
        public let weight: Int

        /// Makes a share.
        public init(byteCount: Int, weight: Int = 1) {
            self.byteCount = byteCount
            self.weight = weight
        }
    }

    /// The sizes that a message may have.
    public static let byteCounts = 1...(16 << 20)

    /// The weights that a size may have.
    public static let weights = 1...1_000_000

    /// The most sizes in a mix.
    public static let maxShareCount = 32

    /// The sizes with their weights.
    public let shares: [Share]

    /// Messages of one byte.
    public static let smallest = PayloadSizes(byteCount: 1)

    /// Makes a single size; a number out of range counts as the nearest in range.
    public init(byteCount: Int) {
        let range = PayloadSizes.byteCounts
        shares = [Share(byteCount: min(max(byteCount, range.lowerBound), range.upperBound))]
    }

    /// Makes a mix; `nil` if there is no size or too many, or a size or a weight is out of range.
    public init?(_ shares: [Share]) {
        let areValid = shares.allSatisfy {
            PayloadSizes.byteCounts.contains($0.byteCount) && PayloadSizes.weights.contains($0.weight)
        }
        guard areValid, (1...PayloadSizes.maxShareCount).contains(shares.count) else { return nil }
        self.shares = shares
    }

    /// Parses one size, for example `16`, or a mix with weights, for example `16:90,4096:9,65536:1`; `nil` if the text is
    /// invalid.
    public init?(parsing text: String) {
        var shares: [Share] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let numbers = part.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
            guard let byteCount = numbers[0], numbers.count <= 2 else { return nil }
            guard let weight = numbers.count == 2 ? numbers[1] : 1 else { return nil }
            shares.append(Share(byteCount: byteCount, weight: weight))
        }
        self.init(shares)
    }

}

extension PayloadSizes: CustomStringConvertible {
    /// The text that `init(parsing:)` takes.
    public var description: String {
        if shares.count == 1 { return "\(shares[0].byteCount)" }
        return shares.map { "\($0.byteCount):\($0.weight)" }.joined(separator: ",")
    }
}
