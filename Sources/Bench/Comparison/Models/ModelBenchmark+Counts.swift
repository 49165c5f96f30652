internal import LoadGenerator
internal import SystemCalls

extension ModelBenchmark {
    /// The client counts at which memory is measured.
    ///
    /// The memory per client is the difference in memory divided by the difference in clients.
    private static let memorySteps = (few: 100, many: 1000)

    /// Counts the clients that the model serves at the same time, and measures the server's memory, threads and system
    /// calls.
    func count(_ figures: inout ModelFigures) throws(ComparisonError) {
        let server = try BenchmarkedServer(program: program, model: figures.model)
        do throws(LoadError) {
            figures.threads.idle = server.settledThreadCount()
            try server.connect(.clients(1))
            // These requests make the server allocate the memory that does not depend on the number of clients.
            // Otherwise, this memory would later be attributed to the clients.
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

    /// Measures ten clients twice: alone, and while another client is stalled.
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

    /// Connects ten clients and measures them in five slices of time.
    ///
    /// Returns the number of these clients that received replies, and the rate of replies in the fastest slice.
    private func tenClients(_ server: BenchmarkedServer) throws(LoadError) -> (served: Int, rate: Double) {
        try server.connect(.clients(Self.busyClients))
        var rate = 0.0
        for _ in 0..<5 { rate = max(rate, try server.measure(for: time).rate) }
        return (server.repliedCount, rate)
    }
}
