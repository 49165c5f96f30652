internal import LoadGenerator
internal import SocketAddresses
internal import SystemCalls

/// A model's server in a process of its own, with the clients that load it.
struct BenchmarkedServer: ~Copyable {
    private var process: ServerProcess
    /// The clients that send requests, and idle ones for the same load.
    private var clients: Clients?
    /// Further clients that are idle, in the order in which they were connected.
    private var idleClients: [Clients] = []
    private var stalledClient: Clients?

    /// Clients that were connected together.
    private final class Clients {
        var engine: LoadEngine
        init(_ engine: consuming LoadEngine) { self.engine = engine }
    }

    init(program: String, model: String) throws(ComparisonError) {
        process = try ServerProcess(program: program, model: model)
    }

    var model: String { process.model }

    /// The kernel's counters of the server's process; `nil` if the process has exited.
    var usage: ProcessUsage? { try? ProcessUsage(of: process.processIdentifier) }

    /// How many clients have been greeted.
    var servedCount: Int { (clients?.engine.openCount ?? 0) + idleClients.reduce(0) { $0 + $1.engine.openCount } }

    /// How many clients have received replies.
    var repliedCount: Int { clients?.engine.repliedConnectionCount ?? 0 }

    /// The number of the server's threads after its start, once the number no longer changes.
    func settledThreadCount() -> Int {
        var count = 0
        for _ in 0..<50 {
            let before = count
            count = usage?.threadCount ?? 0
            if count == before { break }
            PosixThread.sleep(.milliseconds(20))
        }
        return count
    }

    // MARK: - Clients

    /// Replaces the clients by those of a load.
    mutating func connect(_ load: BenchmarkLoad) throws(LoadError) {
        clients = nil
        clients = try open { connections in
            switch load {
            case .connections: connections.connectsForEachRequest = true
            case .clients(let count):
                connections.count = min(count, ModelBenchmark.busyClients)
                connections.idleCount = count - connections.count
            }
        }
    }

    /// Connects clients that send nothing, until there are `count` in all.
    mutating func addIdleClients(upTo count: Int) throws(LoadError) {
        let others = idleClients.reduce(0) { $0 + $1.engine.connectionCount }
        let missing = count - others - (clients?.engine.connectionCount ?? 0)
        idleClients.append(
            try open { connections in
                connections.count = 0
                connections.idleCount = missing
            })
    }

    /// Connects a client that sends and does not read, until the server accepts no more bytes from it.
    mutating func addStalledClient() throws(LoadError) {
        clients = nil
        let client = try open { connections in
            connections.count = 0
            connections.stalledCount = 1
        }
        stalledClient = client
        var sentByteCount = -1
        while client.engine.sentByteCount > sentByteCount {
            sentByteCount = client.engine.sentByteCount
            let now = MonotonicTime.nanoseconds()
            var span = TrafficSpan(start: now, measuredFrom: now)
            span.end = now &+ 200_000_000
            try client.engine.run(.none, over: span)
        }
    }

    private func open(_ change: (inout LoadConnections) -> Void) throws(LoadError) -> Clients {
        var connections = LoadConnections(
            targets: [process.address], sizes: PayloadSizes([.init(byteCount: 16)]) ?? .smallest)
        connections.timeout = ModelBenchmark.greetingTimeout
        connections.allowsMissingGreetings = true
        change(&connections)
        return Clients(try LoadEngine.open(connections))
    }

    // MARK: - Measurements

    /// Sends requests one after the other on every client that sends.
    mutating func exchange(requestCount: Int) throws(LoadError) -> Int {
        let now = MonotonicTime.nanoseconds()
        var span = TrafficSpan(start: now, measuredFrom: now)
        span.count = requestCount
        var replies = 0
        try run(over: span) { _ in replies += 1 }
        return replies
    }

    /// Measures for a duration, after a warm-up of a tenth of it.
    mutating func measure(for time: Duration) throws(LoadError) -> ModelSpeed.Slice {
        let length = UInt64(max(0, time / .nanoseconds(1)))
        let spentBefore = processorTime
        let start = MonotonicTime.nanoseconds()
        var span = TrafficSpan(start: start, measuredFrom: start &+ length / 10)
        span.end = span.measuredFrom &+ length
        var (counted, replies) = (0, 0)
        try run(over: span) { sample in
            replies += 1
            if sample.received > span.measuredFrom, sample.received <= span.end { counted += 1 }
        }
        return ModelSpeed.Slice(
            rate: length > 0 ? Double(counted) * 1e9 / Double(length) : 0,
            processorSeconds: (processorTime - spentBefore) / .seconds(1), replyCount: replies)
    }

    private var processorTime: Duration {
        (try? ProcessUsage.processorTime(of: process.processIdentifier)) ?? .zero
    }

    /// Counts the system calls of messages that follow each other; `nil` if the process cannot be traced.
    mutating func systemCallsPerMessage() throws(LoadError) -> Double? {
        try clients?.engine.systemCalls(of: process.processIdentifier, target: 0, requestCount: 200) ?? nil
    }

    private mutating func run(over span: TrafficSpan, _ body: (RequestSample) -> Void) throws(LoadError) {
        try clients?.engine.run(.closed(target: 0), over: span, isStopped: { false }, body)
        guard let faults = clients?.engine.faults, faults.hasWrongBytes else { return }
        throw LoadError("a client received wrong replies (\(faults.examples.first ?? ""))")
    }

    /// Closes the clients, and stops the server.
    mutating func stop() throws(ComparisonError) {
        clients = nil
        stalledClient = nil
        idleClients.removeAll()
        try process.stop()
    }
}
