/// Everything a comparison found, and everything that is needed to repeat it: what is written as JSON and drawn as a page.
public struct ComparisonReport: Hashable, Codable, Sendable {
    /// The version of the format; a reader refuses others.
    public static let currentFormat = 1

    /// Something about the machine or the run, by name.
    public struct Fact: Hashable, Codable, Sendable {
        /// What it is about: `kernel`, `processor`, `libuv`.
        public var name: String
        /// What holds.
        public var value: String

        /// Makes a fact.
        public init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    /// Where the report comes from.
    public struct Origin: Hashable, Codable, Sendable {
        /// The program and its version.
        public var tool: String
        /// The exact command.
        public var command: String
        /// The seed of all schedules, as text since it is any 64 bits.
        public var seed: String
        /// When the run began, as in `2026-11-25T09:00:00Z`.
        public var startedAt: String
        /// How long it took.
        public var durationSeconds: Double

        /// Makes an origin.
        public init(tool: String, command: String, seed: UInt64, startedAt: String, durationSeconds: Double) {
            self.tool = tool
            self.command = command
            self.seed = String(seed)
            self.startedAt = startedAt
            self.durationSeconds = durationSeconds
        }
    }

    /// The version of the format.
    public var format = currentFormat
    /// What the page is called, where it is not about a real run.
    public var notice: String?
    /// Where the report comes from.
    public var origin: Origin
    /// The machine.
    public var environment: [Fact]
    /// The loads, the one that the headline is about first.
    public var loads: [LoadReport]
    /// What a reader must know about the whole run; warnings about one load are in the load.
    public var warnings: [String] = []
    /// Latency at rising rates, for each server; empty if no rates were tried.
    public var ladders: [RateLadder] = []
    /// How simulated clients fared with each server.
    public var lanes: [LanePanel] = []
    /// How this run differs from an earlier one; `nil` where none was named.
    public var baseline: BaselineComparison?

    /// Makes a report of what every run has; the rest is set afterwards.
    public init(origin: Origin, environment: [Fact], loads: [LoadReport]) {
        self.origin = origin
        self.environment = environment
        self.loads = loads
    }
}
