/// A candidate compared with the reference, over all blocks of a load.
public struct PairedComparison: Hashable, Codable, Sendable {
    /// The reference's name.
    public var reference: String
    /// The candidate's name.
    public var candidate: String
    /// What the verdict is about.
    public var endpoint: Endpoint
    /// The difference that does not matter.
    public var margin: Margin
    /// The ratio and the difference at each percentile of each clock; the endpoint is one of them, the others describe.
    public var rows: [ComparisonRow]
    /// The endpoint over the undisturbed blocks alone; `nil` where there is none.
    public var undisturbed: ComparisonRow?
    /// How many blocks were undisturbed.
    public var undisturbedBlocks: Int
    /// The ratio at the endpoint in each block.
    public var blockRatios: [BlockRatio]
    /// The probability that a request to the reference is slower than its pair to the candidate; `nil` without pairs.
    public var referenceSlower: BlockEstimate?
    /// The probability of the ratio where nothing differs, corrected for the number of candidates.
    public var adjustedPValue: Double
    /// What the numbers say.
    public var verdict: Verdict
    /// Why nothing was decided, or what to know beside the verdict.
    public var reasons: [String]
    /// The one sentence to paste.
    public var sentence: String

    /// The row of the endpoint; `nil` where it has no block.
    public var headline: ComparisonRow? { PairedComparison.headline(rows, endpoint) }

    static func headline(_ rows: [ComparisonRow], _ endpoint: Endpoint) -> ComparisonRow? {
        rows.first { $0.percentile == endpoint.percentile && $0.clock == endpoint.clock }
    }
}

/// A ratio and a difference at one percentile.
public struct ComparisonRow: Hashable, Codable, Sendable {
    /// Which percentile.
    public var percentile: Percentile
    /// Of which latency.
    public var clock: LatencyClock
    /// The candidate's latency divided by the reference's.
    public var ratio: BlockEstimate
    /// The candidate's latency less the reference's, in nanoseconds.
    public var differenceNanoseconds: BlockEstimate
}

/// The ratio at the endpoint in one block.
public struct BlockRatio: Hashable, Codable, Sendable {
    /// Which start the block belongs to.
    public var start: Int
    /// The candidate's latency divided by the reference's.
    public var ratio: Double
    /// Whether the machine was disturbed meanwhile.
    public var isDisturbed: Bool
}

/// One cell of the matrix in which every variant stands against every other.
public struct MatrixCell: Hashable, Codable, Sendable {
    /// The variant whose latency is divided.
    public var row: String
    /// The variant by whose latency it is divided.
    public var column: String
    /// The ratio at the endpoint.
    public var ratio: BlockEstimate
}
