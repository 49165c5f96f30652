internal import LoadGenerator
internal import SocketAddresses
internal import SystemCalls

/// A model's server in its own process, together with the clients that load it.
final class BenchmarkedServer {
    /// The model that the server runs.
    let model: String

    private let process: ServerProcess
    /// The clients that send requests, and the idle clients that belong to the same load.
    private var clients: Clients?
    /// Additional idle clients, in the order in which they were connected.
    private var idleClients: [Clients] = []
    private var stalledClient: Clients?

    /// A group of clients that were connected at the same time.
    private final class Clients {
        var engine: LoadEngine

        init(_ engine: consuming LoadEngine) { self.engine = engine }
    }

    init(program: String, model: String) throws(ComparisonError) {
        self.model = model
        process = try ServerProcess(
            ServerSpecification(name: "the \(model) server", source: .model(model)), program: program)
    }

    /// The kernel's counters for the server's process; `nil` if the process has exited.
    var usage: ProcessUsage? { process.usage }

    /// The number of clients that have received the greeting.
    var servedCount: Int { (clients?.engine.openCount ?? 0) + idleClients.reduce(0) { $0 + $1.engine.openCount } }

    /// The number of clients that have received replies.
    var repliedCount: Int { clients?.engine.repliedConnectionCount ?? 0 }

    /// Waits until the number of server threads no longer changes, and returns this number.
    ///
    /// Call this function directly after the server has started.
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

    /// Replaces the current clients with the clients of a load.
    func connect(_ load: BenchmarkLoad) throws(LoadError) {
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

    /// Connects clients that send nothing, until `count` clients are connected.
    func addIdleClients(upTo count: Int) throws(LoadError) {
        let others = idleClients.reduce(0) { $0 + $1.engine.connectionCount }
        let missing = count - others - (clients?.engine.connectionCount ?? 0)
        idleClients.append(
            try open { connections in
                connections.count = 0
                connections.idleCount = missing
            })
    }

    /// Connects a client that sends and does not read.
    ///
    /// Returns when the server accepts no more bytes from the client.
    func addStalledClient() throws(LoadError) {
        clients = nil
        let client = try open { connections in
            connections.count = 0
            connections.stalledCount = 1
        }
        stalledClient = client
        var sentByteCount = -1
        while client.engine.sentByteCount > sentByteCount {
            sentByteCount = client.engine.sentByteCount
            try client.engine.run(.none, over: TrafficSpan(end: MonotonicTime.nanoseconds() &+ 200_000_000))
        }
    }

    private func open(_ change: (inout LoadConnections) -> Void) throws(LoadError) -> Clients {
        var connections = LoadConnections(targets: [process.address], sizes: PayloadSizes(byteCount: 16))
        connections.timeout = ModelBenchmark.greetingTimeout
        connections.allowsMissingGreetings = true
        change(&connections)
        return Clients(try LoadEngine.open(connections))
    }

    // MARK: - Measurements

    /// Sends requests in a closed loop, from every client that is not idle.
    ///
    /// Returns the number of replies.
    func exchange(requestCount: Int) throws(LoadError) -> Int {
        var replies = 0
        try run(over: TrafficSpan(count: requestCount)) { _ in replies += 1 }
        return replies
    }

    /// Measures the speed for a given time, after a warm-up that takes a tenth of that time.
    func measure(for time: Duration) throws(LoadError) -> ModelSpeed.Slice {
        let length = UInt64(max(0, time / .nanoseconds(1)))
        let spentBefore = process.processorTime ?? .zero
        let start = MonotonicTime.nanoseconds() &+ length / 10
        let span = TrafficSpan(measuredFrom: start, end: start &+ length)
        var (counted, replies) = (0, 0)
        try run(over: span) { sample in
            replies += 1
            if sample.received > span.measuredFrom, sample.received <= span.end { counted += 1 }
        }
        return ModelSpeed.Slice(
            rate: length > 0 ? Double(counted) * 1e9 / Double(length) : 0,
            processorSeconds: ((process.processorTime ?? .zero) - spentBefore) / .seconds(1), replyCount: replies)
    }

    /// Sends requests in a closed loop and returns the number of system calls per message.
    ///
    /// Returns `nil` if the process cannot be traced.
    func systemCallsPerMessage() throws(LoadError) -> Double? {
        guard let identifier = process.processIdentifier else { return nil }
        return try clients?.engine.systemCalls(of: identifier, target: 0, requestCount: 200) ?? nil
    }

    private func run(over span: TrafficSpan, _ body: (RequestSample) -> Void) throws(LoadError) {
        try clients?.engine.run(.closed(target: 0), over: span, body)
        guard let faults = clients?.engine.faults, faults.hasWrongBytes else { return }
        throw LoadError("a client received wrong replies (\(faults.examples.first ?? ""))")
    }

    /// Closes the clients and stops the server.
    func stop() throws(ComparisonError) {
        clients = nil
        stalledClient = nil
        idleClients.removeAll()
        try process.stop(timeout: .seconds(10))
    }
}
