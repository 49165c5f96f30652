/// The state of the platform over time.
///
/// The period is divided into columns of equal length. The value of a column is the maximum of its samples.
public struct PlatformStrip: Hashable, Codable, Sendable {
    /// The length of a column, in seconds.
    public var columnSeconds: Double
    /// The longest overshoot of a sleep of 1 ms in each column, in microseconds.
    public var hiccupMicroseconds: [Double]
    /// The largest share of stolen processor time in each column.
    public var stealShare: [Double]
    /// The largest share of time for which a task waited for a processor, in each column.
    public var pressureShare: [Double]
    /// The mean share of stolen processor time.
    public var meanStealShare: Double
    /// The rule by which blocks were classified as disturbed.
    public var rule: DisturbanceRule

    /// Summarizes samples of the platform.
    ///
    /// - Parameters:
    ///   - samples: the samples in chronological order.
    ///   - sampleSeconds: the time between two samples, in seconds.
    ///   - maxColumns: the maximum number of columns.
    ///   - rule: the rule by which blocks are classified as disturbed.
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

    /// Removes the values of the columns and keeps the mean value.
    public mutating func leaveMeansOnly() {
        hiccupMicroseconds = []
        stealShare = []
        pressureShare = []
    }
}
