/// One load, and what it said about each server.
public struct LoadReport: Hashable, Codable, Sendable {
    /// What was asked of the servers.
    public struct Plan: Hashable, Codable, Sendable {
        /// The load's name, as it is given on the command line.
        public var name: String
        /// What it is, in a few words: `50 connections, 16 bytes`.
        public var title: String
        /// What the sentence tells of it.
        public var circumstances: VerdictSentence.Circumstances
        /// How many requests were dropped while the servers warmed up.
        public var warmUpRequests: Int

        /// Makes a plan.
        public init(name: String, title: String, circumstances: VerdictSentence.Circumstances, warmUpRequests: Int) {
            self.name = name
            self.title = title
            self.circumstances = circumstances
            self.warmUpRequests = warmUpRequests
        }
    }

    /// What was asked of the servers.
    public var plan: Plan
    /// What each server did; the reference first.
    public var variants: [VariantResult]
    /// What the machine can tell apart; `nil` where the reference was not compared with itself.
    public var resolution: Resolution?
    /// The reference compared with itself at each percentile.
    public var resolutionRows: [ComparisonRow] = []
    /// Each candidate compared with the reference.
    public var comparisons: [PairedComparison]
    /// Every variant against every other, where there are more than two.
    public var matrix: [MatrixCell] = []
    /// Whether the generator was fit.
    public var generator: GeneratorCheck
    /// How the platform behaved.
    public var platform: PlatformStrip
    /// Latency over time, for each variant.
    public var heatMaps: [HeatMap] = []
    /// What a reader must know before believing anything above.
    public var warnings: [String] = []

    /// Makes a report of what every load has; the rest is set afterwards.
    public init(
        plan: Plan, variants: [VariantResult], resolution: Resolution?, comparisons: [PairedComparison],
        generator: GeneratorCheck, platform: PlatformStrip
    ) {
        self.plan = plan
        self.variants = variants
        self.resolution = resolution
        self.comparisons = comparisons
        self.generator = generator
        self.platform = platform
    }
}
