public import Servers

/// Measures every model of `uvserver`, each in its own process, under the same loads.
///
/// The benchmark first measures each model alone: the number of clients that it serves, the cost of a client, and the
/// effect of one stalled client. The benchmark then measures the speeds in rounds. Each round measures the models
/// one after the other, in a different order. The best round of each model is used, because other programs on the
/// machine can only make a round slower.
public struct ModelBenchmark {
    /// The models, in the order in which they are measured.
    public let models: [ServerModel]

    /// The path of the program that serves the models.
    public let program: String

    /// The model that speeds are relative to: `libuv` or, if it is not measured, the first model.
    public let reference: String

    /// The number of rounds for each load.
    public var rounds = 20

    /// The duration of each measurement of a speed.
    public var time: Duration = .milliseconds(40)

    /// Returns whether to stop the benchmark; called before each step.
    public var isStopped: () -> Bool = { false }

    /// Called with each step before the step starts.
    public var progress: (_ step: Step) -> Void = { _ in }

    /// One step of the benchmark.
    public struct Step: Sendable {
        /// The number of completed steps.
        public let done: Int
        /// The total number of steps.
        public let total: Int
        /// The description of the step.
        public let name: String
    }

    /// The loads under which speeds are measured, in ascending order of their number of connections.
    public static let loads: [BenchmarkLoad] = [.connections, .clients(1), .clients(100), .clients(1000)]

    /// The number of clients that are connected at the same time.
    ///
    /// The number is higher than the number of descriptors that `select` supports.
    public static let crowd = 1100

    /// The maximum number of clients that send requests.
    public static let busyClients = 10

    /// The longest time to wait for the next greeting.
    ///
    /// Clients that have received no greeting after this time are counted as not served.
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
    ///   - sources: the directory that contains the models' source files. With `nil`, no source code is measured.
    ///   - descriptorLimit: the number of descriptors that this process may open. If the number is too low for the
    ///     clients of all models, the speeds are measured in several groups of models. Each group contains the
    ///     reference.
    /// - Throws: `ComparisonError` if a server does not start, sends a wrong reply or does not stop, or if `isStopped`
    ///   returns true.
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

    /// Returns groups of models whose speeds are measured together.
    ///
    /// The reference is first in each group.
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
