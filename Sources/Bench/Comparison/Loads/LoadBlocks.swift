internal import LoadGenerator
internal import Measurements
internal import SystemCalls

/// The connections of one load to all servers in one start, and the blocks that are measured on them.
struct LoadBlocks: ~Copyable {
    /// What one block has measured.
    struct Block {
        /// When it began and ended, in nanoseconds of the monotonic clock.
        let begin: UInt64
        let end: UInt64
        /// The requests that count.
        let records: [SlotRecord]

        var seconds: Double { Double(end &- begin) / 1e9 }
    }

    private let load: ComparedLoad
    private let plan: ComparisonPlan
    private let servers: [ComparedServer]
    private var engine: LoadEngine
    private var random: SeededRandom
    private var records: [SlotRecord] = []
    private var paid: [Int]
    private let spentBefore: [Spent?]
    private let generatorBefore: (time: UInt64, figures: ThreadUsage?)
    private let residentBefore: [Int?]

    /// What a server had spent at a moment.
    private struct Spent {
        let processorTime: Duration
        let contextSwitches: Int
    }

    /// Opens the connections.
    init(
        _ load: ComparedLoad, _ plan: ComparisonPlan, _ servers: [ComparedServer], seed: UInt64
    ) throws(LoadError) {
        self.load = load
        self.plan = plan
        self.servers = servers
        random = SeededRandom(seed: seed)
        paid = servers.map { _ in 0 }
        residentBefore = servers.map { $0.figures?.residentBytes }
        engine = try LoadEngine.open(
            load.connections(to: servers.map(\.address), seed: seed),
            recordCapacity: load.shape == .paired ? plan.requestCount(load) * servers.count : 0)
        spentBefore = servers.map(LoadBlocks.spent)
        generatorBefore = (MonotonicTime.nanoseconds(), .current())
    }

    private static func spent(_ server: ComparedServer) -> Spent? {
        guard let time = server.processorTime, let figures = server.figures else { return nil }
        return Spent(processorTime: time, contextSwitches: figures.contextSwitchCount)
    }

    /// Loads every server until its median has settled; what is measured meanwhile is dropped, and counted.
    mutating func warmUp(_ ledger: inout LoadLedger, _ isStopped: () -> Bool) throws(LoadError) {
        var warmUps = servers.map { _ in WarmUp(minWindows: WarmUpWindow.least, maxWindows: WarmUpWindow.most) }
        while !warmUps.allSatisfy(\.isOver), !isStopped() {
            let window: Block?
            switch load.shape {
            case .paired: window = try pairedBlock(requestCount: WarmUpWindow.requests, isStopped)
            case .closed, .connecting: window = try slicedBlock(sliceSeconds: WarmUpWindow.sliceSeconds, isStopped)
            }
            guard let window else { return }
            for (index, median) in ledger.medians(ofWindow: window.records).enumerated() {
                _ = warmUps[index].addWindow(median: median, requestCount: 0)
            }
        }
    }

    /// Measures a block.
    ///
    /// - Returns: what it measured; `nil` where it was stopped.
    mutating func measure(_ block: Int, _ isStopped: () -> Bool) throws(LoadError) -> Block? {
        switch load.shape {
        case .paired: return try pairedBlock(requestCount: plan.requestCount(load), isStopped)
        case .closed, .connecting:
            return try slicedBlock(sliceSeconds: plan.blockSeconds(load) / Double(servers.count), isStopped)
        }
    }

    /// Neighbouring requests of one open loop go to the servers in random order.
    private mutating func pairedBlock(requestCount: Int, _ isStopped: () -> Bool) throws(LoadError) -> Block? {
        guard let arrivals = ArrivalSchedule(plan.arrivals, rate: plan.rate, seed: random.next()),
            let variants = PairedSchedule(variantCount: servers.count, seed: random.next())
        else { return nil }
        let begin = MonotonicTime.nanoseconds() &+ 1_000_000
        var span = TrafficSpan(start: begin, measuredFrom: begin)
        span.count = requestCount * servers.count
        try engine.begin(.paced(SlotSource(arrivals, to: variants)), over: span)
        records.removeAll(keepingCapacity: true)
        while !engine.isExhausted, engine.silence < 5_000_000_000, !isStopped() { try turn(until: .max) }
        try engine.drain(timeout: 5_000_000_000, isUrgent: isStopped)
        take()
        return isStopped() ? nil : Block(begin: begin, end: MonotonicTime.nanoseconds(), records: records)
    }

    /// Each server is loaded for a slice of time, in random order; the first tenth of each slice does not count.
    private mutating func slicedBlock(sliceSeconds: Double, _ isStopped: () -> Bool) throws(LoadError) -> Block? {
        guard var order = PairedSchedule(variantCount: servers.count, seed: random.next()) else { return nil }
        let begin = MonotonicTime.nanoseconds()
        records.removeAll(keepingCapacity: true)
        for _ in servers.indices where !isStopped() {
            let slice = MonotonicTime.nanoseconds()
            let end = slice &+ UInt64(sliceSeconds * 1e9)
            let from = slice &+ UInt64(sliceSeconds * 1e8)
            try engine.begin(.closed(variant: order.next()), over: TrafficSpan(start: slice, measuredFrom: from))
            while engine.time < end, !engine.isExhausted, engine.silence < 5_000_000_000 {
                try turn(until: end, countedFrom: from)
            }
            try engine.drain(timeout: 5_000_000_000, isUrgent: isStopped)
            take(countedFrom: from)
        }
        return isStopped() ? nil : Block(begin: begin, end: MonotonicTime.nanoseconds(), records: records)
    }

    private mutating func turn(until end: UInt64, countedFrom begin: UInt64 = 0) throws(LoadError) {
        try engine.turn(until: min(end, engine.time &+ 100_000_000))
        take(countedFrom: begin)
    }

    private mutating func take(countedFrom begin: UInt64 = 0) {
        engine.takeRecords { record in
            paid[Int(record.variant)] += 1
            if record.intended >= begin { records.append(record) }
        }
    }

    /// Counts the system calls of each server's requests, where processes may be traced; nothing is timed meanwhile.
    mutating func countSystemCalls(_ ledger: inout LoadLedger) throws(LoadError) {
        guard load.shape == .paired else { return }
        let requests = 200
        for index in servers.indices {
            guard let process = servers[index].processIdentifier else { continue }
            var failure: LoadError?
            let count = try? SystemCallCounter.count(of: process) { () throws(SystemCallError) in
                do throws(LoadError) { try exchange(requests, with: index) } catch { failure = error }
            }
            if let failure { throw failure }
            if let count { ledger.costs[index].systemCallsPerRequest = Double(count) / Double(requests) }
        }
    }

    private mutating func exchange(_ count: Int, with variant: Int) throws(LoadError) {
        let now = MonotonicTime.nanoseconds()
        var span = TrafficSpan(start: now, measuredFrom: now)
        span.count = count
        try engine.begin(.closed(variant: variant), over: span)
        while !engine.isExhausted, engine.silence < 5_000_000_000 {
            try engine.turn(until: engine.time &+ 100_000_000)
            engine.takeRecords { _ in }
        }
        try engine.drain(timeout: 5_000_000_000)
        engine.takeRecords { _ in }
    }

    /// Ends the connections, and notes what was wrong and what the servers have spent.
    mutating func finish(_ ledger: inout LoadLedger) throws(LoadError) {
        for index in servers.indices { note(index, &ledger.costs[index]) }
        if let first = generatorBefore.figures, let last = ThreadUsage.current() {
            ledger.generator.wall += MonotonicTime.nanoseconds() &- generatorBefore.time
            ledger.generator.ran += last.processorTime &- first.processorTime
            ledger.generator.waited += last.runDelay &- first.runDelay
        }
        try engine.finish()
        for index in servers.indices { ledger.faults[index].add(engine.faultsOfTargets[index]) }
    }

    private func note(_ index: Int, _ cost: inout CostTally) {
        guard let before = spentBefore[index], let now = LoadBlocks.spent(servers[index]) else { return }
        cost.processorSeconds += (now.processorTime - before.processorTime) / .seconds(1)
        cost.contextSwitches += max(0, now.contextSwitches - before.contextSwitches)
        cost.paidRequests += paid[index]
        cost.threads = servers[index].figures?.threadCount
        // A page or two for a few connections say nothing.
        guard load.countForEachServer >= 100, let first = residentBefore[index] else { return }
        let last = servers[index].figures?.residentBytes ?? first
        cost.residentBytesPerConnection = Double(max(0, last - first)) / Double(load.countForEachServer)
    }
}
