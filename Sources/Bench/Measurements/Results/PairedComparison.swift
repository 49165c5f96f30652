/// The comparison of a candidate with the reference, over all blocks of a load.
public struct PairedComparison: Hashable, Codable, Sendable {
    /// The reference's name.
    public var reference: String
    /// The candidate's name.
    public var candidate: String
    /// The percentile and the kind of latency that the verdict is about.
    public var endpoint: Endpoint
    /// The margin, within which differences do not matter.
    public var margin: Margin
    /// The ratio and the difference at each percentile of each kind of latency.
    ///
    /// The row at the verdict's percentile decides the verdict. The other rows are only descriptive.
    public var rows: [ComparisonRow]
    /// The row at the verdict's percentile, computed from the undisturbed blocks only; `nil` if all blocks were
    /// disturbed.
    public var undisturbed: ComparisonRow?
    /// The number of undisturbed blocks.
    public var undisturbedBlocks: Int
    /// The ratio at the verdict's percentile, for each block.
    public var blockRatios: [BlockRatio]
    /// The estimated probability that a request to the reference takes longer than the paired request to the candidate;
    /// `nil` if there are no pairs.
    public var referenceSlower: BlockEstimate?
    /// The p-value of the ratio at the verdict's percentile, corrected for the number of candidates.
    public var adjustedPValue: Double
    /// The verdict.
    public var verdict: Verdict
    /// If the verdict is undecided, the reasons; otherwise, remarks on the verdict.
    public var reasons: [String]
    /// The comparison in one sentence.
    public var sentence: String

    /// The row at the verdict's percentile; `nil` if no block has a value at this percentile.
    public var headline: ComparisonRow? { PairedComparison.headline(rows, endpoint) }

    static func headline(_ rows: [ComparisonRow], _ endpoint: Endpoint) -> ComparisonRow? {
        rows.first { $0.percentile == endpoint.percentile && $0.clock == endpoint.clock }
    }
}

/// The ratio and the difference of two servers' latencies at one percentile.
public struct ComparisonRow: Hashable, Codable, Sendable {
    /// The percentile.
    public var percentile: Percentile
    /// The kind of latency.
    public var clock: LatencyClock
    /// The candidate's latency divided by the reference's.
    public var ratio: BlockEstimate
    /// The candidate's latency minus the reference's, in nanoseconds.
    public var differenceNanoseconds: BlockEstimate
}

/// The ratio at the verdict's percentile in a single block.
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
    /// The ratio at the verdict's percentile.
    public var ratio: BlockEstimate
}
