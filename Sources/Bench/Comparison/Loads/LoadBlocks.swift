internal import LoadGenerator
internal import Measurements
internal import SystemCalls

/// Opens connections to all servers for one load in one start, and measures the blocks.
struct LoadBlocks: ~Copyable {
    /// The measurements of one block.
    struct Block {
        /// The start and the end of the block, in nanoseconds of the monotonic clock.
        let begin: UInt64
        let end: UInt64
        /// The measured requests.
        let samples: [RequestSample]

        var seconds: Double { Double(end &- begin) / 1e9 }
    }

    private let load: ComparedLoad
    private let plan: ComparisonPlan
    private let servers: [ServerProcess]
    private var engine: LoadEngine
    private var random: SeededRandom
    private var samples: [RequestSample] = []
    private var requestCounts: [Int]
    /// The kernel's counters for the servers' processes, read before the connections were opened.
    private let beforeOpening: [ProcessUsage?]
    private let afterOpening: [(usage: ProcessUsage?, time: Duration?)]
    private let generatorBefore: (time: UInt64, usage: ThreadUsage?)

    /// The resources used under the load in one start, and the faults of the replies.
    struct Costs {
        var servers: [CostTally]
        var faults: [Faults] = []
        var generator = GeneratorTime()
    }

    /// Opens the connections to all servers.
    init(
        _ load: ComparedLoad, _ plan: ComparisonPlan, _ servers: [ServerProcess], seed: UInt64
    ) throws(LoadError) {
        self.load = load
        self.plan = plan
        self.servers = servers
        random = SeededRandom(seed: seed)
        requestCounts = servers.map { _ in 0 }
        beforeOpening = servers.map(\.usage)
        engine = try LoadEngine.open(
            load.connections(to: servers.map(\.address), seed: seed),
            sampleCapacity: load.shape == .paired ? plan.requestCount(load) * servers.count : 0)
        afterOpening = servers.map { ($0.usage, $0.processorTime) }
        generatorBefore = (MonotonicTime.nanoseconds(), .current())
    }

    // MARK: - Blocks

    /// Sends load to the servers until each server's warm-up is over.
    ///
    /// - Parameter clock: the kind of latency whose medians `WarmUp` compares.
    /// - Returns: the number of requests that were sent. These requests are not measured.
    mutating func warmUp(_ clock: LatencyClock, _ isStopped: () -> Bool) throws(LoadError) -> Int {
        var warmUps = servers.map { _ in WarmUp(minWindows: WarmUpWindow.least, maxWindows: WarmUpWindow.most) }
        var count = 0
        while !warmUps.allSatisfy(\.isOver),
            let window = try measure(WarmUpWindow.requests, WarmUpWindow.sliceSeconds, isStopped)
        {
            count += window.samples.count
            for index in servers.indices {
                let times = window.samples.filter { $0.target == index && !$0.isCold }
                    .compactMap { $0.latency(clock).map(Double.init) }
                warmUps[index].addWindow(median: OrderedSample(times).median)
            }
        }
        return count
    }

    /// Measures a block; `nil` if the comparison was stopped.
    mutating func measure(_ isStopped: () -> Bool) throws(LoadError) -> Block? {
        try measure(plan.requestCount(load), plan.blockSeconds(load) / Double(servers.count), isStopped)
    }

    private mutating func measure(
        _ requestCount: Int, _ sliceSeconds: Double, _ isStopped: () -> Bool
    ) throws(LoadError) -> Block? {
        if isStopped() { return nil }
        samples.removeAll(keepingCapacity: true)
        let begin = MonotonicTime.nanoseconds()
        switch load.shape {
        case .paired: try runPairs(requestCount, isStopped)
        case .closed, .connecting: try runSlices(sliceSeconds, isStopped)
        }
        return isStopped() ? nil : Block(begin: begin, end: MonotonicTime.nanoseconds(), samples: samples)
    }

    /// Sends the requests of one open loop to the servers, in groups.
    ///
    /// Each group has one request to each server, in random order.
    private mutating func runPairs(_ requestCount: Int, _ isStopped: () -> Bool) throws(LoadError) {
        guard let arrivals = ArrivalSchedule(plan.arrivals, rate: plan.rate, seed: random.next()),
            let targets = PairedSchedule(variantCount: servers.count, seed: random.next())
        else { return }
        // The traffic starts slightly in the future, so that its first request is not late.
        let span = TrafficSpan(start: MonotonicTime.nanoseconds() &+ 1_000_000, count: requestCount * servers.count)
        try run(.paced(ArrivalSource(arrivals, to: targets)), over: span, isStopped)
    }

    /// Loads the servers one after another in random order, each for a slice of time.
    ///
    /// The first tenth of each slice is not measured.
    private mutating func runSlices(_ seconds: Double, _ isStopped: () -> Bool) throws(LoadError) {
        guard var order = PairedSchedule(variantCount: servers.count, seed: random.next()) else { return }
        for _ in servers.indices {
            let start = MonotonicTime.nanoseconds()
            let span = TrafficSpan(
                start: start, measuredFrom: start &+ UInt64(seconds * 1e8), end: start &+ UInt64(seconds * 1e9))
            try run(.closed(target: order.next()), over: span, isStopped)
        }
    }

    private mutating func run(
        _ traffic: Traffic, over span: TrafficSpan, _ isStopped: () -> Bool
    ) throws(LoadError) {
        try engine.run(traffic, over: span, isStopped: isStopped) { sample in
            requestCounts[Int(sample.target)] += 1
            if sample.intended >= span.measuredFrom { samples.append(sample) }
        }
    }

    // MARK: - Costs

    /// Closes the connections and returns the costs of the load.
    ///
    /// - Parameter countsSystemCalls: whether to count system calls. Counting sends additional requests, whose latency
    ///   is not measured.
    /// - Returns: the resources that the servers and the load generator used since the connections were opened, and the
    ///   faults.
    mutating func finish(countsSystemCalls: Bool) throws(LoadError) -> Costs {
        var costs = Costs(servers: servers.indices.map { cost($0) })
        if let first = generatorBefore.usage, let last = ThreadUsage.current() {
            costs.generator = GeneratorTime(
                wall: MonotonicTime.nanoseconds() &- generatorBefore.time,
                ran: last.processorTime &- first.processorTime, waited: last.runDelay &- first.runDelay)
        }
        if countsSystemCalls, load.shape == .paired {
            for index in servers.indices { costs.servers[index].systemCallsPerRequest = try systemCalls(index) }
        }
        try engine.finish()
        costs.faults = engine.faultsOfTargets
        return costs
    }

    private func cost(_ index: Int) -> CostTally {
        var cost = CostTally()
        let before = afterOpening[index]
        guard let usageBefore = before.usage, let timeBefore = before.time, let usage = servers[index].usage,
            let time = servers[index].processorTime
        else { return cost }
        cost.processorSeconds = (time - timeBefore) / .seconds(1)
        cost.contextSwitches = max(0, usage.contextSwitchCount - usageBefore.contextSwitchCount)
        cost.requestCount = requestCounts[index]
        cost.threads = usage.threadCount
        // The memory per connection is not computed for few connections, because a single page of memory would dominate
        // the result.
        guard load.countForEachServer >= 100, let first = beforeOpening[index]?.residentBytes else { return cost }
        cost.residentBytesPerConnection =
            Double(max(0, usage.residentBytes - first)) / Double(load.countForEachServer)
        return cost
    }

    /// Returns the number of system calls that a server makes per request; `nil` if its process cannot be traced.
    private mutating func systemCalls(_ index: Int) throws(LoadError) -> Double? {
        guard let process = servers[index].processIdentifier else { return nil }
        return try engine.systemCalls(of: process, target: index, requestCount: 200)
    }
}

extension LoadEngine {
    /// Sends requests to a server in a closed loop and counts the system calls of the server's process.
    ///
    /// Returns the number of system calls per request, or `nil` if the process cannot be traced.
    mutating func systemCalls(of process: Int32, target: Int, requestCount: Int) throws(LoadError) -> Double? {
        var failure: LoadError?
        var replyCount = 0
        let count = try? SystemCallCounter.count(of: process) { () throws(SystemCallError) in
            do throws(LoadError) {
                let span = TrafficSpan(count: requestCount)
                try run(.closed(target: target), over: span, isStopped: { false }) { _ in replyCount += 1 }
            } catch { failure = error }
        }
        if let failure { throw failure }
        guard let count, replyCount > 0 else { return nil }
        return Double(count) / Double(replyCount)
    }
}

extension RequestSample {
    /// Returns the sample's latency of the given kind; `nil` if a timestamp is missing.
    func latency(_ clock: LatencyClock) -> UInt64? {
        switch clock {
        case .wire: wireTime
        case .response: responseTime
        }
    }
}
