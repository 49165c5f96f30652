internal import Measurements

/// Models in the order of how well they do something; those between which there is no difference share a place.
public struct Ranking: Hashable, Sendable {
    /// A place, and who shares it.
    public struct Place: Hashable, Sendable {
        /// The place: one more than there are models before it.
        public let number: Int
        /// The models' names, in the order of the series.
        public let models: [String]
    }

    /// The places, the best first.
    public let places: [Place]

    /// Ranks models by criteria, each of which decides only among those that the ones before it leave equal.
    init(_ figures: [ModelFigures], by criteria: [Criterion]) {
        let order = Dictionary(figures.enumerated().map { ($1.model, $0) }, uniquingKeysWith: { first, _ in first })
        var groups = figures.isEmpty ? [] : [figures]
        for criterion in criteria { groups = groups.flatMap { criterion.divide($0) } }
        var places: [Place] = []
        var before = 0
        for group in groups {
            let models = group.map(\.model).sorted { order[$0, default: 0] < order[$1, default: 0] }
            places.append(Place(number: before + 1, models: models))
            before += group.count
        }
        self.places = places
    }

    /// One line: `1. epoll  2. libuv = libuv-loops  4. poll`.
    public var line: String {
        places.map { "\($0.number). \($0.models.joined(separator: " = "))" }.joined(separator: "  ")
    }

    /// One thing that models are compared in.
    struct Criterion: Sendable {
        /// The figure, of which less is better; one that is not known is the worst.
        let value: @Sendable (ModelFigures) -> Double?
        /// From how many times the least figure of a group on another one makes a difference.
        let factor: Double

        /// Divides models into groups, the best first.
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

// MARK: - What models are ranked by

extension Ranking {
    /// Ranks models by how well they serve many clients.
    ///
    /// Counts decide wherever they differ, and the one time among the criteria only where it differs by more than
    /// busy machines make it scatter: so that the ranking is the same each time.
    public static func scalability(of figures: [ModelFigures]) -> Ranking {
        Ranking(
            figures,
            by: [
                Criterion(value: { Double(Judge.crowd + 1) / Double($0.servedAtOnce + 1) }, factor: 1),
                Criterion(value: { Double(Judge.busyClients - $0.servedBesideStall) }, factor: 1),
                Criterion(value: { $0.speeds[.clients(1000)]?.cost }, factor: costFactor),
                Criterion(value: { $0.threadsPerClient.rounded() }, factor: 1),
                Criterion(value: { $0.systemCallsPerMessage?.rounded() }, factor: 1),
                Criterion(value: { $0.bytesPerClient.map { max($0, 16) } }, factor: bytesFactor),
            ])
    }

    /// Ranks models by how much there is to read, hence to write: the lines of their own files and of what they share.
    public static func ease(of figures: [ModelFigures]) -> Ranking {
        Ranking(figures, by: [Criterion(value: { $0.codeLines.map(Double.init) }, factor: linesFactor)])
    }

    /// How many times the processor time for an answer must be another's to make a difference.
    ///
    /// Beside the cheapest among a thousand clients, `poll` took 3.5 to 3.9 times the processor time on a quiet machine
    /// and on a busy one; `threads`, which scatters most, 1.6 times on a quiet one and up to 2.8 on a busy one.
    static let costFactor = 3.0

    /// How many times the memory for a client must be another's: what is resident is counted in whole pages.
    static let bytesFactor = 3.0

    /// How many times the lines must be another's: one in twenty more is as easy to write.
    static let linesFactor = 1.05

    /// The rules in words.
    public static let rules = [
        "scalability: more clients served at once; then more of ten answered beside one that stalls; then less "
            + "processor time for an answer among 1000 clients, where it differs by \(DecimalText.fixed(costFactor, places: 0)) times or "
            + "more; then no thread for each client; then fewer system calls for a message; then less memory for a "
            + "client, where it differs by \(DecimalText.fixed(bytesFactor, places: 0)) times or more; = where none of these tells",
        "ease: fewer lines of code, the model's own and those it shares; = within one in twenty",
    ]
}

extension ModelFigures {
    /// Threads that each client takes which is served.
    var threadsPerClient: Double { Double(threads.serving - threads.idle) / Double(max(1, servedWithThreads)) }

    /// The lines of code of all files; `nil` where the sources are not at hand.
    var codeLines: Int? { ownSources.flatMap { own in sharedSources.map { own.codeLines + $0.codeLines } } }

    /// The states of all files; `nil` where the sources are not at hand.
    var states: Int? { ownSources.flatMap { own in sharedSources.map { own.states + $0.states } } }
}
