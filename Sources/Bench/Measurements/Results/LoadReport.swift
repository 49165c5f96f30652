/// The results of all servers under one load.
public struct LoadReport: Hashable, Codable, Sendable {
    /// The load.
    public struct Plan: Hashable, Codable, Sendable {
        /// The load's name on the command line.
        public var name: String
        /// A short description, for example `50 connections, 16 bytes`.
        public var title: String
        /// The conditions that the sentence states.
        public var circumstances: Circumstances
        /// The number of warm-up requests, which do not count.
        public var warmUpRequests: Int
    }

    /// The load.
    public var plan: Plan
    /// The servers; the reference first.
    public var variants: [VariantResult]
    /// The noise floor; `nil` if the reference was not compared with its control.
    public var noiseFloor: NoiseFloor?
    /// The control compared with the reference at each percentile.
    public var controlRows: [ComparisonRow] = []
    /// Each candidate compared with the reference.
    public var comparisons: [PairedComparison]
    /// The ratio of every server to every other, if there are more than two.
    public var matrix: [MatrixCell] = []
    /// Whether the generator kept up.
    public var generator: GeneratorCheck
    /// The state of the platform during the load.
    public var platform: PlatformStrip
    /// Latency over time, for each variant.
    public var heatMaps: [HeatMap] = []
    /// Warnings that affect how far the results can be trusted.
    public var warnings: [String] = []

    /// The rows of the matrix as text: for each server its name, and its ratio to every server.
    public func matrixRows(_ names: [String], diagonal: String) -> [[String]] {
        names.map { row in
            [row]
                + names.map { column in
                    matrix.first { $0.row == row && $0.column == column }.map { RatioText.text($0.ratio) } ?? diagonal
                }
        }
    }
}
