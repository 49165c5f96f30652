internal import Measurements

/// A ranking of models from the best to the worst; models that do not differ share a place.
public struct Ranking: Hashable, Sendable {
    /// A place, and the models that share it.
    public struct Place: Hashable, Encodable, Sendable {
        /// The number of the place: one more than the number of models ahead.
        public let number: Int
        /// The models' names, in the order of the series.
        public let models: [String]

        private enum CodingKeys: String, CodingKey {
            case number = "place"
            case models
        }
    }

    /// The places, best first.
    public let places: [Place]

    /// Ranks models by criteria; each decides only between models that are equal by those before it.
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

    /// One line, for example `1. epoll  2. libuv = libuv-loops  4. poll`.
    public var line: String {
        places.map { "\($0.number). \($0.models.joined(separator: " = "))" }.joined(separator: "  ")
    }

    /// One figure that models are compared by.
    struct Criterion: Sendable {
        /// The figure; less is better, and unknown is worst.
        let value: @Sendable (ModelFigures) -> Double?
        /// Two figures differ if one is at least this many times the smallest of its group.
        let factor: Double

        /// Divides models into groups, best first.
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
    /// A count decides if it differs at all. The only criterion with times is the growth of the processor time from 100 to
    /// 1000 clients. It decides only if it differs by more than its variation on a busy machine, so that the ranking is
    /// repeatable.
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

    /// Ranks models by how few lines of code there are to read.
    public static func ease(of figures: [ModelFigures]) -> Ranking {
        Ranking(figures, by: [Criterion(value: { $0.sources.map { Double($0.codeLines) } }, factor: linesFactor)])
    }

    /// The factor from which growths of the processor time per reply count as different.
    ///
    /// From 100 to 1000 clients, it grew by a factor of 2.5 to 3.3 in `poll` and `select`, and of at most 1.3 in all other
    /// models that serve so many clients, on a quiet and on a busy machine.
    static let growthFactor = 1.8

    /// The factor from which memory per client counts as different; the kernel counts whole pages.
    static let bytesFactor = 3.0

    /// The factor from which numbers of lines count as different: up to 5 % more lines are as easy to read.
    static let linesFactor = 1.05

    /// The rules in words.
    public static let rules = [
        "scalability: more clients served at once; then more of ten served while another one is stalled; then less "
            + "growth of the processor time per reply from 100 to 1000 clients (\(DecimalText.fixed(growthFactor, places: 1)) "
            + "times or more); then no thread for each client; then fewer system calls for a message; then less memory for a client "
            + "(\(DecimalText.fixed(bytesFactor, places: 0)) times or more); = if none of these differs",
        "ease: fewer lines of code to read; = if they differ by at most 5 %",
    ]
}
