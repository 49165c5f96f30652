/// The payload sizes of a load, with the weight of each.
public struct PayloadSizes: Hashable, Sendable {
    /// One payload size and its weight.
    public struct Share: Hashable, Sendable {
        /// The number of bytes between the delimiters of a message.
        public let byteCount: Int
        /// The frequency of the size, relative to the weights of the other sizes.
        public let weight: Int

        /// Makes a share from a size and a weight.
        public init(byteCount: Int, weight: Int = 1) {
            self.byteCount = byteCount
            self.weight = weight
        }
    }

    /// The range of valid payload sizes.
    public static let byteCounts = 1...(16 << 20)

    /// The range of valid weights.
    public static let weights = 1...1_000_000

    /// The maximum number of sizes in a mix.
    public static let maxShareCount = 32

    /// The payload sizes and their weights.
    public let shares: [Share]

    /// Payloads of one byte.
    public static let smallest = PayloadSizes(byteCount: 1)

    /// Makes a value with a single size.
    ///
    /// A number out of range is replaced with the nearest valid size.
    public init(byteCount: Int) {
        let range = PayloadSizes.byteCounts
        shares = [Share(byteCount: min(max(byteCount, range.lowerBound), range.upperBound))]
    }

    /// Makes a mix of sizes; `nil` if there are no sizes or too many sizes, or if a size or a weight is out of range.
    public init?(_ shares: [Share]) {
        let areValid = shares.allSatisfy {
            PayloadSizes.byteCounts.contains($0.byteCount) && PayloadSizes.weights.contains($0.weight)
        }
        guard areValid, (1...PayloadSizes.maxShareCount).contains(shares.count) else { return nil }
        self.shares = shares
    }

    /// Parses one size or a mix of sizes; `nil` if the text is invalid.
    ///
    /// A size is, for example, `16`. A mix adds a weight to each size, for example `16:90,4096:9,65536:1`.
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
    /// The sizes in the format that `init(parsing:)` parses.
    public var description: String {
        if shares.count == 1 { return "\(shares[0].byteCount)" }
        return shares.map { "\($0.byteCount):\($0.weight)" }.joined(separator: ",")
    }
}
