/// The result of a comparison, including everything that is needed to repeat it.
///
/// The report is written as JSON and drawn as a page.
public struct ComparisonReport: Hashable, Codable, Sendable {
    /// The version of the report's format.
    ///
    /// A report whose format has another version is rejected.
    public static let currentFormat = 2

    /// A fact about the machine or the run, with a name.
    public struct Fact: Hashable, Codable, Sendable {
        /// The name, for example `kernel` or `processor`.
        public var name: String
        /// The value.
        public var value: String

        /// Makes a fact.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// The run that the report describes.
    public struct Origin: Hashable, Codable, Sendable {
        /// The program and its version.
        public var tool: String
        /// The exact command line.
        public var command: String
        /// The seed of all schedules.
        ///
        /// The seed is text, because JSON numbers cannot represent every 64-bit value.
        public var seed: String
        /// The time at which the run began, for example `2026-11-25T09:00:00Z`.
        public var startedAt: String
        /// The duration of the run.
        public var durationSeconds: Double
    }

    /// The version of the format.
    public var format = currentFormat
    /// A notice at the top of the page, for reports whose numbers do not come from a real run.
    public var notice: String?
    /// The run that the report describes.
    public var origin: Origin
    /// Facts about the machine.
    public var environment: [Fact]
    /// The results of each load.
    ///
    /// The report's headline is about the first load.
    public var loads: [LoadReport]
    /// Warnings about the whole run.
    ///
    /// Warnings about a single load are in that load's report.
    public var warnings: [String] = []
    /// The latency of each server at rising rates; empty if no rates were tried.
    public var ladders: [RateLadder] = []
    /// For each server, the time lines of the simulated clients.
    public var lanes: [LanePanel] = []
    /// The comparison with an earlier run, if the report of an earlier run was given.
    public var baseline: BaselineComparison?

    /// Makes a report from its required parts.
    ///
    /// The caller sets the optional parts afterwards.
    public init(
        tool: String, command: String, seed: UInt64, startedAt: String, durationSeconds: Double, environment: [Fact],
        loads: [LoadReport]
    ) {
        origin = Origin(
            tool: tool, command: command, seed: String(seed), startedAt: startedAt, durationSeconds: durationSeconds)
        self.environment = environment
        self.loads = loads
    }
}
