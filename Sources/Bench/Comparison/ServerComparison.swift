public import Measurements
internal import LoadGenerator
internal import SystemCalls

/// Compares the first server with all other servers, under one schedule on this machine.
///
/// All servers are started several times. Each start has several blocks. In each block, every server is loaded, but
/// only one at a time. Two more servers take part. The control is a second copy of the reference and shows the noise
/// floor. The floor does as little as possible, so its latency is a lower limit for all servers.
public struct ServerComparison {
    /// The plan of the comparison.
    public let plan: ComparisonPlan

    /// Returns whether to stop the comparison and report what has been measured so far.
    public var isStopped: () -> Bool = { false }

    /// Called with the progress after each block.
    public var progress: (Progress) -> Void = { _ in }

    /// The progress of a comparison.
    public struct Progress: Sendable {
        /// The name of the current load.
        public let load: String
        /// The number of blocks measured so far, over all loads.
        public let done: Int
        /// The number of blocks to measure, over all loads.
        public let total: Int
        /// The first candidate's ratio to the reference so far; `nil` if the ratio is not yet known.
        public let ratio: BlockEstimate?
    }

    let rule = DisturbanceRule()

    /// Prepares a comparison.
    public init(_ plan: ComparisonPlan) { self.plan = plan }

    /// The state of a running comparison.
    struct RunState: ~Copyable {
        var recorders: [LoadRecorder]
        var ladders: [RateLadder] = []
        var lanes: [LanePanel] = []
        /// The highest rate at which the load generator can send requests to the floor, in requests per second; `nil`
        /// if unknown.
        var ceiling: Double?
        let watch: PlatformWatch
        let begin: UInt64
    }

    /// Runs the comparison on the calling thread.
    ///
    /// - Throws: `ComparisonError` if a server cannot be started or reached, or if nothing could be measured.
    public func run() throws(ComparisonError) -> ComparisonReport {
        let startedAt = WallClock.utcTimestamp()
        let watch: PlatformWatch
        do throws(SystemCallError) { watch = try PlatformWatch() } catch {
            throw ComparisonError("cannot watch the platform (\(error))")
        }
        defer { watch.stop() }
        var state = RunState(
            recorders: plan.loads.map { LoadRecorder($0, plan: plan) }, watch: watch,
            begin: MonotonicTime.nanoseconds())
        try pin()
        for start in 0..<plan.starts where !isStopped() { try measure(start: start, &state) }
        return try report(state, startedAt: startedAt)
    }

    private func pin() throws(ComparisonError) {
        guard let processor = plan.processors?.load else { return }
        do throws(SystemCallError) { try ProcessorAffinity.pin(to: processor) } catch {
            throw ComparisonError("cannot run the load on processor \(processor) (\(error))")
        }
    }

    /// Starts every server and measures the blocks of every load.
    private func measure(start: Int, _ state: inout RunState) throws(ComparisonError) {
        var servers: [ServerProcess] = []
        defer { for server in servers { try? server.stop(timeout: .seconds(2)) } }
        for subject in plan.subjects {
            servers.append(
                try ServerProcess(
                    subject, program: subject.source == .floor ? plan.uvbench : plan.uvserver,
                    processor: plan.processors?.servers))
        }
        state.watch.watch(servers.compactMap(\.processIdentifier))
        try rejectBusy(servers)
        if start == 0 { state.ceiling = ceiling(of: servers[plan.floor]) }
        for index in state.recorders.indices where !isStopped() && state.recorders[index].failure == nil {
            try measure(index, start: start, servers, &state)
        }
        guard start == plan.starts - 1, !isStopped() else { return }
        if !plan.rates.isEmpty { state.ladders = try climb(servers) }
        if plan.drawsLanes { state.lanes = lanes(servers) }
    }

    /// Throws if a server uses processor time without requests, because such a server would slow down the other
    /// servers.
    private func rejectBusy(_ servers: [ServerProcess]) throws(ComparisonError) {
        let before = servers.map(\.processorTime)
        PosixThread.sleep(.milliseconds(300))
        for (server, before) in zip(servers, before) {
            guard let before, let now = server.processorTime else { continue }
            let share = (now - before) / .milliseconds(300)
            if share > 0.1 {
                throw ComparisonError(
                    "\(server.name) used \(Int((share * 100).rounded())) % of a processor without any request. It would "
                        + "disturb the other servers, so it cannot be compared", isUnfit: true)
            }
        }
    }

    /// Measures the blocks of one load in one start.
    ///
    /// If a server cannot serve the load, the load is skipped with a warning.
    private func measure(
        _ index: Int, start: Int, _ servers: [ServerProcess], _ state: inout RunState
    ) throws(ComparisonError) {
        let load = state.recorders[index].load
        do throws(LoadError) {
            var blocks = try LoadBlocks(load, plan, servers, seed: seed(index, start))
            state.recorders[index].warmUpCount += try blocks.warmUp(
                state.recorders[index].terms.endpoint.clock, isStopped)
            for _ in 0..<plan.blockCount(ofStart: start) {
                guard let block = try blocks.measure(isStopped) else { break }
                state.recorders[index].add(
                    block, start: start, platform: state.watch.samples(from: block.begin, to: block.end), rule: rule)
                reportProgress(index, state)
            }
            state.recorders[index].add(try blocks.finish(countsSystemCalls: start == plan.starts - 1))
        } catch {
            guard plan.loads.count > 1, state.recorders[index].blocks.isEmpty else {
                throw ComparisonError("\(load.name): \(error)")
            }
            state.recorders[index].failure = "\(error)"
        }
    }

    private func reportProgress(_ index: Int, _ state: borrowing RunState) {
        let recorder = state.recorders[index]
        let comparer = BlockComparer(
            blocks: recorder.blocks, names: plan.subjects.map(\.name), terms: recorder.terms)
        progress(
            Progress(
                load: recorder.load.name, done: state.recorders.reduce(0) { $0 + $1.blocks.count },
                total: plan.blocks * plan.loads.count,
                ratio: comparer.endpointRatio(plan.servers.count > 1 ? 1 : plan.control)))
    }

    /// Returns the seed for a load and a start, derived from the plan's seed.
    private func seed(_ load: Int, _ start: Int) -> UInt64 {
        var random = SeededRandom(seed: plan.seed &+ UInt64(load) &* 1_000_003 &+ UInt64(start) &* 7_919)
        return random.next()
    }

    /// Measures the highest rate at which the load generator can send requests to the floor, in requests per second;
    /// `nil` if it cannot be measured.
    private func ceiling(of server: ServerProcess) -> Double? {
        var connections = LoadConnections(targets: [server.address], sizes: PayloadSizes(byteCount: 16))
        connections.count = 50
        connections.takesKernelTimestamps = true
        var load = LoadPlan(connections: connections, pace: .closed)
        load.warmUp = .milliseconds(100)
        load.duration = .milliseconds(400)
        guard let result = try? LoadRun(load)(), result.rate > 0 else { return nil }
        return result.rate
    }
}
