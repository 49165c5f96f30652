public import Measurements
internal import LoadGenerator
internal import SystemCalls

/// Compares servers: each against the first, under the same schedule, on this machine, today.
///
/// All servers are started several times; within each start come blocks, in which every server is loaded in turn, and
/// never two at once. Beside them run a second copy of the reference, which tells what this machine can tell apart, and
/// a server that does next to nothing, which no server can be faster than.
public struct ServerComparison {
    /// What is compared.
    public let plan: ComparisonPlan

    /// Whether to end, and to report what was measured until then.
    public var isStopped: () -> Bool = { false }

    /// Told before the first block and after each.
    public var progress: (Progress) -> Void = { _ in }

    /// How far a comparison has come.
    public struct Progress: Sendable {
        /// The load's name.
        public let load: String
        /// Blocks of all loads that have been measured, and all that there are.
        public let done: Int
        /// All blocks that there are.
        public let total: Int
        /// The first candidate's ratio to the reference as it stands; `nil` before there is one.
        public let ratio: BlockEstimate?
    }

    let rule = DisturbanceRule()

    /// Prepares a comparison.
    public init(_ plan: ComparisonPlan) { self.plan = plan }

    /// What is kept while the comparison runs.
    struct Course: ~Copyable {
        var ledgers: [LoadLedger]
        var ladders: [RateLadder] = []
        var lanes: [LanePanel] = []
        var startCount = 0
        /// The rate at which the null server answers the generator without a pause; `nil` before it is known.
        var ceiling: Double?
        let watch: PlatformWatch
        let begin: UInt64
    }

    /// Runs the comparison on the calling thread.
    ///
    /// - Throws: where a server cannot be started or reached, or nothing could be measured.
    public func run() throws(ComparisonError) -> ComparisonReport {
        let startedAt = WallClock.utcTimestamp()
        var course = Course(
            ledgers: plan.loads.map { LoadLedger($0, plan: plan) }, watch: try makeWatch(),
            begin: MonotonicTime.nanoseconds())
        do throws(ComparisonError) {
            try pin()
            for start in 0..<plan.starts where !isStopped() { try measure(start: start, &course) }
        } catch {
            course.watch.stop()
            throw error
        }
        course.watch.stop()
        return try report(course, startedAt: startedAt)
    }

    private func makeWatch() throws(ComparisonError) -> PlatformWatch {
        do throws(SystemCallError) { return try PlatformWatch() } catch {
            throw ComparisonError("the platform cannot be watched (\(error))")
        }
    }

    private func pin() throws(ComparisonError) {
        guard let processor = plan.processors?.load else { return }
        do throws(SystemCallError) { try ProcessorAffinity.pin(to: processor) } catch {
            throw ComparisonError("the load cannot run on processor \(processor) (\(error))")
        }
    }

    /// One start: every server anew, every load, its blocks.
    private func measure(start: Int, _ course: inout Course) throws(ComparisonError) {
        var servers: [ComparedServer] = []
        defer { for server in servers { server.stop() } }
        for contestant in plan.contestants {
            servers.append(
                try ComparedServer(
                    contestant, program: contestant.source == .floor ? plan.uvbench : plan.uvserver,
                    processor: plan.processors?.servers))
        }
        course.watch.watch(servers.compactMap(\.processIdentifier))
        course.startCount += 1
        try refuseBusy(servers)
        if start == 0 { course.ceiling = ceiling(of: servers[plan.floor]) }
        for index in course.ledgers.indices where !isStopped() && course.ledgers[index].failure == nil {
            try measure(index, start: start, servers, &course)
        }
        guard start == plan.starts - 1, !isStopped() else { return }
        if !plan.rates.isEmpty { course.ladders = try climb(servers) }
        if plan.drawsLanes { course.lanes = lanes(servers) }
    }

    /// A server that is busy without being asked anything takes the processor from the others.
    private func refuseBusy(_ servers: [ComparedServer]) throws(ComparisonError) {
        let before = servers.map(\.processorTime)
        PosixThread.nap(.milliseconds(300))
        for (server, before) in zip(servers, before) {
            guard let before, let now = server.processorTime else { continue }
            let share = (now - before) / .milliseconds(300)
            if share > 0.1 {
                throw ComparisonError(
                    "\(server.name) used \(Int((share * 100).rounded())) % of a processor while nobody asked it anything: "
                        + "it would disturb the others, and is not compared", isUnfit: true)
            }
        }
    }

    /// One load in one start; a load that a server cannot stand is left out, and that is told.
    private func measure(
        _ index: Int, start: Int, _ servers: [ComparedServer], _ course: inout Course
    ) throws(ComparisonError) {
        let load = course.ledgers[index].load
        do throws(LoadError) {
            var blocks = try LoadBlocks(load, plan, servers, seed: seed(index, start))
            try blocks.warmUp(&course.ledgers[index], isStopped)
            for block in 0..<plan.blockCount(ofStart: start) where !isStopped() {
                guard let measured = try blocks.measure(block, isStopped) else { break }
                let samples = course.watch.samples(from: measured.begin, to: measured.end)
                course.ledgers[index].add(
                    measured.records, start: start, begin: measured.begin,
                    runSeconds: Double(measured.begin &- course.begin) / 1e9, length: measured.seconds,
                    samples: samples, rule: rule)
                tell(index, course)
            }
            if start == plan.starts - 1 { try blocks.countSystemCalls(&course.ledgers[index]) }
            try blocks.finish(&course.ledgers[index])
        } catch {
            guard plan.loads.count > 1, course.ledgers[index].blocks.isEmpty else {
                throw ComparisonError("\(load.name): \(error)")
            }
            course.ledgers[index].failure = "\(error)"
        }
    }

    private func tell(_ index: Int, _ course: borrowing Course) {
        let ledger = course.ledgers[index]
        let comparer = BlockComparer(
            blocks: ledger.blocks, names: plan.contestants.map(\.name), terms: ledger.terms)
        let candidate = plan.servers.count > 1 ? 1 : plan.twin
        let row = comparer.rows(candidate).first {
            $0.percentile == ledger.terms.endpoint.percentile && $0.clock == ledger.terms.endpoint.clock
        }
        progress(
            Progress(
                load: ledger.load.name, done: course.ledgers.reduce(0) { $0 + $1.blocks.count },
                total: plan.blocks * plan.loads.count, ratio: row?.ratio))
    }

    /// A seed for each load and start, all of them decided by the plan's.
    private func seed(_ load: Int, _ start: Int) -> UInt64 {
        var random = SeededRandom(seed: plan.seed &+ UInt64(load) &* 1_000_003 &+ UInt64(start) &* 7_919)
        return random.next()
    }

    /// How many requests a second the generator can make at most, as the null server lets it; `nil` where it cannot tell.
    private func ceiling(of server: ComparedServer) -> Double? {
        guard let sizes = PayloadSizes(parsing: "16") else { return nil }
        var connections = LoadConnections(targets: [server.address], sizes: sizes)
        connections.count = 50
        connections.takesKernelTimestamps = true
        var load = LoadPlan(connections: connections, pace: .closed)
        load.warmUp = .milliseconds(100)
        load.duration = .milliseconds(400)
        guard let result = try? LoadRun(load)(), result.rate > 0 else { return nil }
        return result.rate
    }
}
