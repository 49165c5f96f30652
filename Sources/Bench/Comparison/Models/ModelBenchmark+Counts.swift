internal import LoadGenerator
internal import SystemCalls

extension ModelBenchmark {
    /// The two numbers of clients from whose difference in memory the memory of one client is computed.
    private static let memorySteps = (few: 100, many: 1000)

    /// Counts clients served at once, memory, threads and system calls.
    func count(_ figures: inout ModelFigures) throws(ComparisonError) {
        let server = try BenchmarkedServer(program: program, model: figures.model)
        do throws(LoadError) {
            figures.threads.idle = server.settledThreadCount()
            try server.connect(.clients(1))
            // Otherwise, memory that is used for the first time would be counted as a client's memory.
            _ = try server.exchange(requestCount: 20)
            figures.systemCallsPerMessage = try server.systemCallsPerMessage()
            try server.addIdleClients(upTo: Self.memorySteps.few)
            let (few, before) = (server.servedCount, server.usage)
            try server.addIdleClients(upTo: Self.memorySteps.many)
            let (many, after) = (server.servedCount, server.usage)
            figures.servedWithThreads = many
            figures.threads.serving = after?.threadCount ?? 0
            if many > few, let before, let after {
                let bytes = max(0, after.residentBytes - before.residentBytes)
                figures.bytesPerClient = Double(bytes) / Double(many - few)
            }
            try server.addIdleClients(upTo: Self.crowd)
            figures.servedAtOnce = server.servedCount
        } catch { throw ComparisonError("\(figures.model), many clients: \(error)") }
        try server.stop()
    }

    /// Measures ten clients by themselves, and ten others while another one is stalled.
    func measureStall(_ figures: inout ModelFigures) throws(ComparisonError) {
        let server = try BenchmarkedServer(program: program, model: figures.model)
        do throws(LoadError) {
            let alone = try tenClients(server)
            try server.addStalledClient()
            let stalled = try tenClients(server)
            figures.servedAlone = alone.served
            figures.servedWithStall = stalled.served
            figures.rateWithStall = alone.rate > 0 ? stalled.rate / alone.rate : 0
        } catch { throw ComparisonError("\(figures.model), one stalled client: \(error)") }
        try server.stop()
    }

    /// The number of ten clients that receive replies, and the highest rate of replies in five slices.
    private func tenClients(_ server: BenchmarkedServer) throws(LoadError) -> (served: Int, rate: Double) {
        try server.connect(.clients(Self.busyClients))
        var rate = 0.0
        for _ in 0..<5 { rate = max(rate, try server.measure(for: time).rate) }
        return (server.repliedCount, rate)
    }
}
