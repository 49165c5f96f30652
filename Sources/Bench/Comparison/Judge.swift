public import Servers

/// Runs the same short programme against each model, each in a process of its own.
///
/// First every model by itself: what can be counted, and what one stalled client does. Then all at once, to measure
/// their speeds side by side: round after round, each model answers for a moment, alone, in an order that changes, and
/// the best of its rounds counts: what else the machine does only takes away, and hardly from all of them. The clients
/// run on the calling thread.
public struct Judge {
    /// Which models are judged, in this order.
    public let models: [ServerModel]

    /// The program that serves them.
    public let program: String

    /// The model that speeds are told beside: `libuv`, or the first where it is none of them.
    public let reference: String

    /// How many rounds there are for each load.
    public var rounds = 20

    /// How long each speed is measured in a round.
    public var time: Duration = .milliseconds(40)

    /// Whether to end before the next step.
    public var isStopped: () -> Bool = { false }

    /// Told before each step what is done.
    public var progress: (_ step: Step) -> Void = { _ in }

    /// What is being done.
    public struct Step: Sendable {
        /// How many steps have been done.
        public let done: Int
        /// How many there are.
        public let total: Int
        /// What it is.
        public let name: String
    }

    /// The loads that speeds are measured under, in their order: clients come, and none leaves.
    public static let loads: [JudgedLoad] = [.connections, .clients(1), .clients(100), .clients(1000)]

    /// How many clients try to be served at once: more than `select` can.
    public static let crowd = 1100

    /// How many of many clients are busy.
    public static let busyClients = 10

    /// How long no greeting must come until the clients that have none count as not served.
    static let patience: Duration = .milliseconds(300)

    /// Prepares a comparison.
    ///
    /// - Parameter program: the file of the program whose `serve` is compared.
    public init(models: [ServerModel], program: String) {
        self.models = models
        self.program = program
        reference = models.first { $0.name == "libuv" }?.name ?? models.first?.name ?? ""
    }

    /// Runs the programme.
    ///
    /// - Parameters:
    ///   - sources: the directory that the models' files are measured in; `nil` measures none.
    ///   - descriptorLimit: how many descriptors this process may have open: where they do not suffice for the clients
    ///     of all models at once, speeds are measured in several groups, the reference in each.
    /// - Throws: `ComparisonError` where a server does not do as it must, or `isStopped` tells to end.
    public func run(sources: String?, descriptorLimit: Int) throws(ComparisonError) -> [ModelFigures] {
        let heats = self.heats(descriptorLimit: descriptorLimit)
        var steps = Steps(total: 2 * models.count + heats.count * Judge.loads.count * max(1, rounds), judge: self)
        do throws(ComparisonError) {
            var figures: [ModelFigures] = []
            for model in models {
                var found = ModelFigures(model: model.name)
                found.measureSources(of: model, in: sources)
                try steps.next("\(model.name), counts")
                try count(&found)
                try steps.next("\(model.name), one client that stalls")
                try measureStall(&found)
                figures.append(found)
            }
            for heat in heats { try measureSpeeds(of: heat, &figures, &steps) }
            return figures
        } catch {
            // A signal from a terminal has ended the servers too: that they are gone is no news.
            if isStopped() { throw Judge.stopped }
            throw error
        }
    }

    private static let stopped = ComparisonError("stopped by a signal; nothing was judged")

    /// The models whose speeds are measured at the same time, the reference first.
    func heats(descriptorLimit: Int) -> [[String]] {
        let others = models.map(\.name).filter { $0 != reference }
        let most = Judge.loads.map { if case .clients(let count) = $0 { count } else { 0 } }.max() ?? 0
        let size = max(1, (descriptorLimit - 100) / (most + 4) - 1)
        let heats = stride(from: 0, to: others.count, by: size).map {
            [reference] + others[$0..<min($0 + size, others.count)]
        }
        return heats.isEmpty ? [[reference]] : heats
    }

    /// Counts the steps, and tells them.
    struct Steps {
        let total: Int
        let judge: Judge
        private var done = 0

        init(total: Int, judge: Judge) {
            self.total = total
            self.judge = judge
        }

        mutating func next(_ name: String) throws(ComparisonError) {
            if judge.isStopped() { throw Judge.stopped }
            judge.progress(Step(done: done, total: total, name: name))
            done += 1
        }
    }
}

extension ModelFigures {
    /// Measures what the model takes to write.
    mutating func measureSources(of model: ServerModel, in directory: String?) {
        guard let directory else { return }
        ownSources = SourceMeasure.ofFiles(model.sources, in: directory)
        sharedSources = SourceMeasure.ofFiles(["Server/IncrementProtocol/ServerSession"], in: directory)
    }
}
