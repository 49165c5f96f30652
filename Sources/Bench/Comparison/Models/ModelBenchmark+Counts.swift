internal import LoadGenerator
internal import SystemCalls

extension ModelBenchmark {
    /// The two numbers of clients from whose difference in memory the memory of one client is computed.
    private static let memorySteps = (few: 100, many: 1000)

    /// Counts clients served at once, memory, threads and system calls.
    func count(_ figures: inout ModelFigures) throws(ComparisonError) {
        var server = try BenchmarkedServer(program: program, model: figures.model)
        do throws(LoadError) {
            figures.threads.idle = server.settledThreadCount()
            try server.connect(.clients(1))
            // Otherwise, memory that is used for the first time would be counted as a client's memory.
            _ = try server.exchange(requestCount: 20)
            figures.systemCallsPerMessage = try server.systemCallsPerMessage()
            let few = try occupancy(&server, Self.memorySteps.few)
            let many = try occupancy(&server, Self.memorySteps.many)
            figures.servedWithThreads = many.served
            figures.threads.serving = many.usage?.threadCount ?? 0
            if many.served > few.served, let first = few.usage, let last = many.usage {
                let bytes = max(0, last.residentBytes - first.residentBytes)
                figures.bytesPerClient = Double(bytes) / Double(many.served - few.served)
            }
            figures.servedAtOnce = try occupancy(&server, Self.crowd).served
        } catch { throw ComparisonError("\(figures.model), many clients: \(error)") }
        try server.stop()
    }

    /// Connects idle clients up to a number, and records the server's memory and threads.
    private func occupancy(
        _ server: inout BenchmarkedServer, _ count: Int
    ) throws(LoadError) -> (served: Int, usage: ProcessUsage?) {
        try server.addIdleClients(upTo: count)
        return (server.servedCount, server.usage)
    }

    /// Measures ten clients by themselves, and ten others while another one is stalled.
    func measureStall(_ figures: inout ModelFigures) throws(ComparisonError) {
        var server = try BenchmarkedServer(program: program, model: figures.model)
        do throws(LoadError) {
            let alone = try tenClients(&server)
            try server.addStalledClient()
            let stalled = try tenClients(&server)
            figures.servedAlone = alone.served
            figures.servedWithStall = stalled.served
            figures.rateWithStall = alone.rate > 0 ? stalled.rate / alone.rate : 0
        } catch { throw ComparisonError("\(figures.model), one stalled client: \(error)") }
        try server.stop()
    }

    /// The number of ten clients that receive replies, and the highest rate of replies in five slices.
    private func tenClients(_ server: inout BenchmarkedServer) throws(LoadError) -> (served: Int, rate: Double) {
        try server.connect(.clients(Self.busyClients))
        var rate = 0.0
        for _ in 0..<5 { rate = max(rate, try server.measure(for: time).rate) }
        return (server.repliedCount, rate)
    }
}
