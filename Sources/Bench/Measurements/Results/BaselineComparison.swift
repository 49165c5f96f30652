/// A comparison of this run with an earlier run.
///
/// The machine may have changed between the two runs, so latencies are not compared. Instead, the comparison uses
/// ratios: each candidate's latency divided by the reference's latency in the same run.
public struct BaselineComparison: Hashable, Codable, Sendable {
    /// The ratio of one candidate to the reference in both runs.
    public struct Row: Hashable, Codable, Sendable {
        /// The load's name.
        public var load: String
        /// The candidate's name.
        public var candidate: String
        /// The reference's name.
        public var reference: String
        /// The percentile and the kind of latency of both ratios.
        public var endpoint: Endpoint
        /// The ratio in the earlier run.
        public var earlier: BlockEstimate
        /// The ratio in this run.
        public var now: BlockEstimate

        /// Whether the ratio has changed, which means that the two intervals do not overlap; `nil` if an interval is
        /// missing.
        public var hasChanged: Bool? {
            guard let before = earlier.interval, let after = now.interval else { return nil }
            return before.upper < after.lower || after.upper < before.lower
        }

        /// `hasChanged` as text.
        public var changeText: String { hasChanged.map { $0 ? "yes" : "no difference detected" } ?? "n/a" }
    }

    /// The time at which the earlier run began.
    public var startedAt: String
    /// The ratios that both runs contain.
    ///
    /// Two ratios match if they have the same load, candidate, reference, percentile and kind of latency.
    public var rows: [Row]
    /// The differences between the machines of the two runs.
    ///
    /// Only facts that both reports contain are compared.
    public var differences: [String]

    /// Compares the reports of two runs.
    public init(earlier: ComparisonReport, now: ComparisonReport) {
        startedAt = earlier.origin.startedAt
        rows = BaselineComparison.comparisons(now).compactMap { load, comparison in
            let same = BaselineComparison.comparisons(earlier).first {
                $0.0 == load && $0.1.candidate == comparison.candidate && $0.1.reference == comparison.reference
                    && $0.1.endpoint == comparison.endpoint
            }
            guard let before = same?.1.headline?.ratio, let after = comparison.headline?.ratio else { return nil }
            return Row(
                load: load, candidate: comparison.candidate, reference: comparison.reference,
                endpoint: comparison.endpoint, earlier: before, now: after)
        }
        differences = now.environment.compactMap { fact in
            guard let before = earlier.environment.first(where: { $0.name == fact.name }), before.value != fact.value
            else { return nil }
            return "\(fact.name): \(before.value), now \(fact.value)"
        }
    }

    private static func comparisons(_ report: ComparisonReport) -> [(String, PairedComparison)] {
        report.loads.flatMap { load in load.comparisons.map { (load.plan.name, $0) } }
    }
}
