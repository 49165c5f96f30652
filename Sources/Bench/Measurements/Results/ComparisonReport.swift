/// The result of a comparison, with everything needed to repeat it.
///
/// It is written as JSON and drawn as a page.
public struct ComparisonReport: Hashable, Codable, Sendable {
    /// The version of the format; reports of another version are rejected.
    public static let currentFormat = 2

    /// A named fact about the machine or the run.
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
        /// The exact command.
        public var command: String
        /// The seed of all schedules; text, because JSON numbers cannot represent every 64-bit value.
        public var seed: String
        /// The time at which the run began, for example `2026-11-25T09:00:00Z`.
        public var startedAt: String
        /// The duration of the run.
        public var durationSeconds: Double
    }

    /// The version of the format.
    public var format = currentFormat
    /// A notice at the top of the page, for numbers that are not of a real run.
    public var notice: String?
    /// The run that the report describes.
    public var origin: Origin
    /// The machine.
    public var environment: [Fact]
    /// The loads; the headline is about the first.
    public var loads: [LoadReport]
    /// Warnings about the whole run; warnings about one load are in its report.
    public var warnings: [String] = []
    /// Latency at rising rates, for each server; empty if no rates were tried.
    public var ladders: [RateLadder] = []
    /// The lanes of the simulated clients of each server.
    public var lanes: [LanePanel] = []
    /// The comparison with an earlier run, if one was given.
    public var baseline: BaselineComparison?

    /// Makes a report from the required parts; optional parts are set afterwards.
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
