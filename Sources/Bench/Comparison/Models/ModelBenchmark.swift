public import Servers

/// Measures every model of `uvserver`, each in a process of its own, with the same load.
///
/// First it measures each model alone: the number of clients that the model serves, their cost, and the effect of one
/// stalled client. Then it measures the speeds in rounds: in each round the models are loaded one after the other, in
/// an order that changes. The best round of a model counts. Other programs on the machine can only make a round slower.
public struct ModelBenchmark {
    /// The models, in the order in which they are measured.
    public let models: [ServerModel]

    /// The file of the program that serves them.
    public let program: String

    /// The model that speeds are relative to: `libuv`, or the first if `libuv` is not among them.
    public let reference: String

    /// The number of rounds for each load.
    public var rounds = 20

    /// The duration of each measurement of a speed.
    public var time: Duration = .milliseconds(40)

    /// Whether to stop before the next step.
    public var isStopped: () -> Bool = { false }

    /// Receives each step before it starts.
    public var progress: (_ step: Step) -> Void = { _ in }

    /// One step of the benchmark.
    public struct Step: Sendable {
        /// How many steps are done.
        public let done: Int
        /// The number of all steps.
        public let total: Int
        /// The description of the step.
        public let name: String
    }

    /// The loads under which speeds are measured, ordered by their number of connections.
    public static let loads: [BenchmarkLoad] = [.connections, .clients(1), .clients(100), .clients(1000)]

    /// The number of clients that connect at once: more than `select` can serve.
    public static let crowd = 1100

    /// The maximum number of clients that are busy.
    public static let busyClients = 10

    /// The server does not serve the remaining clients if it greets none of them for this long.
    static let greetingTimeout: Duration = .milliseconds(300)

    /// Prepares a benchmark.
    public init(models: [ServerModel], program: String) {
        self.models = models
        self.program = program
        reference = models.first { $0.name == "libuv" }?.name ?? models.first?.name ?? ""
    }

    /// Runs the benchmark on the calling thread.
    ///
    /// - Parameters:
    ///   - sources: the directory with the models' files; `nil` measures none.
    ///   - descriptorLimit: how many descriptors this process may open. If the limit is too low for the clients of all
    ///     models, the speeds are measured in several groups, each with the reference.
    /// - Throws: `ComparisonError` if a server does not start, replies wrongly or does not stop, or `isStopped` is true.
    public func run(sources: String?, descriptorLimit: Int) throws(ComparisonError) -> [ModelFigures] {
        let groups = self.groups(descriptorLimit: descriptorLimit)
        let total = 2 * models.count + groups.count * Self.loads.count * max(1, rounds)
        var done = 0
        func begin(_ name: String) throws(ComparisonError) {
            if isStopped() { throw ComparisonError("stopped by a signal before the models were ranked") }
            progress(Step(done: done, total: total, name: name))
            done += 1
        }
        var figures: [ModelFigures] = []
        for model in models {
            var found = ModelFigures(model: model.name)
            found.sources = sources.flatMap { SourceMeasure(of: model, in: $0) }
            try begin("\(model.name), counts")
            try count(&found)
            try begin("\(model.name), one stalled client")
            try measureStall(&found)
            figures.append(found)
        }
        for group in groups { try measureSpeeds(of: group, &figures, begin) }
        return figures
    }

    /// The models whose speeds are measured together, the reference first.
    func groups(descriptorLimit: Int) -> [[String]] {
        let others = models.map(\.name).filter { $0 != reference }
        let most = Self.loads.map(\.clientCount).max() ?? 0
        let size = max(1, (descriptorLimit - 100) / (most + 4) - 1)
        let groups = stride(from: 0, to: others.count, by: size).map {
            [reference] + others[$0..<min($0 + size, others.count)]
        }
        return groups.isEmpty ? [[reference]] : groups
    }
}
