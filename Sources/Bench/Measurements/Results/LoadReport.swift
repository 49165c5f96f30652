/// The results of all servers under one load.
public struct LoadReport: Hashable, Codable, Sendable {
    /// The description of a load.
    public struct Plan: Hashable, Codable, Sendable {
        /// The load's name on the command line.
        public var name: String
        /// A short description, for example `50 connections, 16 bytes`.
        public var title: String
        /// The conditions under which the load was measured.
        public var circumstances: Circumstances
        /// The number of warm-up requests, which are not measured.
        public var warmUpRequests: Int
    }

    /// The description of a load.
    public var plan: Plan
    /// The results of the servers.
    ///
    /// The reference is first.
    public var variants: [VariantResult]
    /// The noise floor; `nil` if the reference was not compared with its control.
    public var noiseFloor: NoiseFloor?
    /// The comparison of the control with the reference at each percentile.
    public var controlRows: [ComparisonRow] = []
    /// The comparison of each candidate with the reference.
    public var comparisons: [PairedComparison]
    /// The ratios between all pairs of servers; empty if there are only two servers.
    public var matrix: [MatrixCell] = []
    /// Whether the load generator kept up with the load.
    public var generator: GeneratorCheck
    /// The state of the platform during the load.
    public var platform: PlatformStrip
    /// The latency of each server over time.
    public var heatMaps: [HeatMap] = []
    /// Warnings that affect how far the results can be trusted.
    public var warnings: [String] = []

    /// Returns the rows of the matrix of ratios as text.
    ///
    /// Each row contains the name of a server and its ratio to every server.
    public func matrixRows(_ names: [String], diagonal: String) -> [[String]] {
        names.map { row in
            [row]
                + names.map { column in
                    matrix.first { $0.row == row && $0.column == column }.map { RatioText.text($0.ratio) } ?? diagonal
                }
        }
    }
}
