/// A candidate compared with the reference, over all blocks of a load.
public struct PairedComparison: Hashable, Codable, Sendable {
    /// The reference's name.
    public var reference: String
    /// The candidate's name.
    public var candidate: String
    /// The percentile and latency that the verdict is about.
    public var endpoint: Endpoint
    /// The margin: differences within it do not matter.
    public var margin: Margin
    /// The ratio and the difference at each percentile of each latency.
    ///
    /// One of them is the endpoint; the others are descriptive.
    public var rows: [ComparisonRow]
    /// The endpoint over the undisturbed blocks only; `nil` if all were disturbed.
    public var undisturbed: ComparisonRow?
    /// The number of undisturbed blocks.
    public var undisturbedBlocks: Int
    /// The ratio at the endpoint in each block.
    public var blockRatios: [BlockRatio]
    /// The probability that a request to the reference is slower than its pair to the candidate; `nil` without pairs.
    public var referenceSlower: BlockEstimate?
    /// The p-value of the ratio, corrected for the number of candidates.
    public var adjustedPValue: Double
    /// The verdict.
    public var verdict: Verdict
    /// Reasons for an undecided verdict, and remarks on any verdict.
    public var reasons: [String]
    /// The comparison in one sentence.
    public var sentence: String

    /// The row of the endpoint; `nil` if no block has it.
    public var headline: ComparisonRow? { PairedComparison.headline(rows, endpoint) }

    static func headline(_ rows: [ComparisonRow], _ endpoint: Endpoint) -> ComparisonRow? {
        rows.first { $0.percentile == endpoint.percentile && $0.clock == endpoint.clock }
    }
}

/// A ratio and a difference at one percentile.
public struct ComparisonRow: Hashable, Codable, Sendable {
    /// The percentile.
    public var percentile: Percentile
    /// The latency.
    public var clock: LatencyClock
    /// The candidate's latency divided by the reference's.
    public var ratio: BlockEstimate
    /// The candidate's latency minus the reference's, in nanoseconds.
    public var differenceNanoseconds: BlockEstimate
}

/// The ratio at the endpoint in one block.
public struct BlockRatio: Hashable, Codable, Sendable {
    /// The index of the start that the block belongs to.
    public var start: Int
    /// The candidate's latency divided by the reference's.
    public var ratio: Double
    /// Whether the machine was disturbed during the block.
    public var isDisturbed: Bool
}

/// One cell of the matrix of ratios between all servers.
public struct MatrixCell: Hashable, Codable, Sendable {
    /// The server in the numerator.
    public var row: String
    /// The server in the denominator.
    public var column: String
    /// The ratio at the endpoint.
    public var ratio: BlockEstimate
}
