/// How the platform behaved over the time of a load: the greatest values of each column of time.
public struct PlatformStrip: Hashable, Codable, Sendable {
    /// How long a column is, in seconds.
    public var columnSeconds: Double
    /// The greatest overshoot of a sleep of 1 ms in each column, in microseconds.
    public var hiccupMicroseconds: [Double]
    /// The greatest share of stolen time in each column.
    public var stealShare: [Double]
    /// The greatest share of time in which a task waited for a processor.
    public var pressureShare: [Double]
    /// The mean share of stolen time over everything.
    public var meanStealShare: Double
    /// The rule by which blocks were called disturbed.
    public var rule: DisturbanceRule

    /// Sums samples up.
    ///
    /// - Parameters:
    ///   - samples: the samples, in their order.
    ///   - sampleSeconds: the time between two of them.
    ///   - maxColumns: how many columns to make at most.
    ///   - rule: the rule that was in force.
    public init(_ samples: [PlatformSample], sampleSeconds: Double, maxColumns: Int = 240, rule: DisturbanceRule) {
        let perColumn = max(1, (samples.count + max(1, maxColumns) - 1) / max(1, maxColumns))
        let columns = stride(from: 0, to: samples.count, by: perColumn).map {
            samples[$0..<min($0 + perColumn, samples.count)]
        }
        columnSeconds = sampleSeconds * Double(perColumn)
        hiccupMicroseconds = columns.map { $0.map(\.hiccupMicroseconds).max() ?? 0 }
        stealShare = columns.map { $0.map(\.stealShare).max() ?? 0 }
        pressureShare = columns.map { $0.map(\.pressureShare).max() ?? 0 }
        meanStealShare = samples.map(\.stealShare).mean
        self.rule = rule
    }

    /// Forgets the columns.
    public mutating func leaveMeansOnly() {
        hiccupMicroseconds = []
        stealShare = []
        pressureShare = []
    }
}
