internal import Measurements

/// A ranking of models, best first.
///
/// Models that do not differ share a place.
public struct Ranking: Hashable, Sendable {
    /// A place in the ranking, and the models that share it.
    public struct Place: Hashable, Encodable, Sendable {
        /// The number of the place: one more than the number of better models.
        public let number: Int
        /// The models' names, in the order in which they were measured.
        public let models: [String]

        private enum CodingKeys: String, CodingKey {
            case number = "place"
            case models
        }
    }

    /// The places, best first.
    public let places: [Place]

    /// Ranks models by several criteria.
    ///
    /// A criterion decides only between models that are equal by all earlier criteria.
    init(_ figures: [ModelFigures], by criteria: [Criterion]) {
        var groups = figures.isEmpty ? [] : [figures]
        for criterion in criteria { groups = groups.flatMap { criterion.divide($0) } }
        var places: [Place] = []
        var before = 0
        for group in groups {
            let models = Set(group.map(\.model))
            places.append(Place(number: before + 1, models: figures.map(\.model).filter(models.contains)))
            before += group.count
        }
        self.places = places
    }

    /// The ranking in one line, for example `1. epoll  2. libuv = libuv-loops  4. poll`.
    public var line: String {
        places.map { "\($0.number). \($0.models.joined(separator: " = "))" }.joined(separator: "  ")
    }

    /// A criterion by which models are compared.
    struct Criterion: Sendable {
        /// Returns the value that is compared.
        ///
        /// A smaller value is better, and an unknown value is worst.
        let value: @Sendable (ModelFigures) -> Double?
        /// The smallest ratio that counts as a difference.
        ///
        /// A value differs from the smallest value of its group if it is at least this many times the smallest value.
        let factor: Double

        /// Divides models into groups, best first.
        ///
        /// Models in the same group do not differ by this criterion.
        func divide(_ group: [ModelFigures]) -> [[ModelFigures]] {
            let valued = group.map { (value: value($0) ?? .infinity, figures: $0) }.sorted { $0.value < $1.value }
            var groups: [[ModelFigures]] = []
            var least = -Double.infinity
            for (value, figures) in valued {
                if groups.isEmpty || (value > least && value >= least * factor) {
                    groups.append([])
                    least = value
                }
                groups[groups.count - 1].append(figures)
            }
            return groups
        }
    }
}

// MARK: - Criteria

extension Ranking {
    /// Ranks models by how well they serve many clients.
    ///
    /// If a criterion is a count, for example the number of clients, any difference separates two models. The only
    /// criterion that uses times is the growth of the processor time. On a busy machine, one model's measured growth
    /// varies from run to run. To make the ranking repeatable, the growth separates two models only if their
    /// values differ by more than this variation.
    public static func scalability(of figures: [ModelFigures]) -> Ranking {
        Ranking(
            figures,
            by: [
                Criterion(value: { Double(ModelBenchmark.crowd + 1) / Double($0.servedAtOnce + 1) }, factor: 1),
                Criterion(value: { Double(ModelBenchmark.busyClients - $0.servedWithStall) }, factor: 1),
                Criterion(value: { $0.costGrowth.map { max($0, 1) } }, factor: growthFactor),
                Criterion(value: { $0.threadsPerClient.rounded() }, factor: 1),
                Criterion(value: { $0.systemCallsPerMessage?.rounded() }, factor: 1),
                Criterion(value: { $0.bytesPerClient.map { max($0, 16) } }, factor: bytesFactor),
            ])
    }

    /// Ranks models by the number of lines of code to read.
    ///
    /// Fewer lines are better.
    public static func ease(of figures: [ModelFigures]) -> Ranking {
        Ranking(figures, by: [Criterion(value: { $0.sources.map { Double($0.codeLines) } }, factor: linesFactor)])
    }

    /// The smallest ratio that counts as a difference in the growth of the processor time per reply.
    ///
    /// From 100 to 1000 clients, the processor time grew by a factor of 2.5 to 3.3 in `poll` and `select`. In all other
    /// models that serve many clients, it grew by a factor of at most 1.3.
    static let growthFactor = 1.8

    /// The smallest ratio that counts as a difference in the memory per client.
    ///
    /// The ratio is large because the kernel counts whole pages.
    static let bytesFactor = 3.0

    /// The smallest ratio that counts as a difference in the number of lines of code.
    ///
    /// Models that differ by less than 5 % are considered equally easy to read.
    static let linesFactor = 1.05

    /// The rules of the rankings in words.
    public static let rules = [
        "scalability: more clients served at the same time; then more of ten clients served while another client "
            + "is stalled; then less growth of the processor time per reply from 100 to 1000 clients (by a factor of "
            + "at least \(DecimalText.fixed(growthFactor, places: 1))); then fewer threads per client; then fewer "
            + "system calls per message; then less memory per client (by a factor of at least "
            + "\(DecimalText.fixed(bytesFactor, places: 0))). \"=\" means that none of these differs",
        "ease: fewer lines of code to read. \"=\" means that the numbers of lines differ by less than 5 %",
    ]
}
