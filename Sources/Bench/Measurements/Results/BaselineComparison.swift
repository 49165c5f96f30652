/// A comparison of this run with an earlier one.
///
/// The machine may differ between two days, so latencies are not compared. Only each candidate's ratio to the reference of
/// the same day is.
public struct BaselineComparison: Hashable, Codable, Sendable {
    /// A ratio then and now.
    public struct Row: Hashable, Codable, Sendable {
        /// The load's name.
        public var load: String
        /// The candidate's name.
        public var candidate: String
        /// The reference's name.
        public var reference: String
        /// The endpoint of both ratios.
        public var endpoint: Endpoint
        /// The ratio then.
        public var earlier: BlockEstimate
        /// The ratio now.
        public var now: BlockEstimate

        /// Whether the two intervals do not overlap; `nil` if one is missing.
        public var hasChanged: Bool? {
            guard let before = earlier.interval, let after = now.interval else { return nil }
            return before.upper < after.lower || after.upper < before.lower
        }

        /// `hasChanged` as text.
        public var changeText: String { hasChanged.map { $0 ? "yes" : "no difference detected" } ?? "n/a" }
    }

    /// When the earlier run began.
    public var startedAt: String
    /// The ratios that both runs have: same load, candidate, reference and endpoint.
    public var rows: [Row]
    /// The differences between the machines, as far as both reports describe them.
    public var differences: [String]

    /// Compares two reports.
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
