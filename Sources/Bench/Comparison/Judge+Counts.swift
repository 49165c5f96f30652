internal import Clients
internal import SystemCalls

extension Judge {
    /// The numbers of clients between which the memory that one more takes is measured.
    private static let memorySteps = (few: 100, many: 1000)

    /// Clients served at once, memory, threads, and system calls.
    func count(_ figures: inout ModelFigures) throws(ComparisonError) {
        var server = try ServerProcess(program: program, model: figures.model)
        let process = server.processIdentifier
        do throws(SystemCallError) {
            var clients = try ClosedLoopClients()
            figures.threads.idle = try settledThreadCount(of: process)
            try clients.connect(upTo: 1, to: server.address)
            try clients.awaitGreetings(patience: Judge.patience)
            // So that memory that is first touched, and paths that are first gone, are not counted.
            _ = try clients.exchange(active: 1, answers: 20, time: .seconds(1))
            figures.systemCallsPerMessage = systemCalls(of: process, for: &clients)
            let few = try occupancy(of: server, by: &clients, upTo: Judge.memorySteps.few)
            let many = try occupancy(of: server, by: &clients, upTo: Judge.memorySteps.many)
            figures.threads.serving = many.figures.threadCount
            figures.servedWithThreads = many.served
            if many.served > few.served {
                let bytes = many.figures.residentBytes - few.figures.residentBytes
                figures.bytesPerClient = Double(max(0, bytes)) / Double(many.served - few.served)
            }
            figures.servedAtOnce = try occupancy(of: server, by: &clients, upTo: Judge.crowd).served
        } catch { throw ComparisonError("\(figures.model), many clients: \(error)") }
        try server.stop()
    }

    /// How many threads a server has that has just begun to listen, once their number stays the same.
    private func settledThreadCount(of processIdentifier: Int32) throws(SystemCallError) -> Int {
        var count = 0
        for _ in 0..<50 {
            let before = count
            count = try ProcessUsage(of: processIdentifier).threadCount
            if count == before { break }
            PosixThread.sleep(.milliseconds(20))
        }
        return count
    }

    /// Connects clients up to a number, and reads what the server takes for those it serves.
    private func occupancy(
        of server: borrowing ServerProcess, by clients: inout ClosedLoopClients, upTo count: Int
    ) throws(SystemCallError) -> (served: Int, figures: ProcessUsage) {
        try clients.connect(upTo: count, to: server.address)
        try clients.awaitGreetings(patience: Judge.patience)
        return (clients.greetedCount, try ProcessUsage(of: server.processIdentifier))
    }

    /// Counts the system calls of messages that go one after the other; `nil` where no process may be traced.
    private func systemCalls(of processIdentifier: Int32, for clients: inout ClosedLoopClients) -> Double? {
        let messages = 200
        var answers = 0
        let count = try? SystemCallCounter.count(of: processIdentifier) { () throws(SystemCallError) in
            answers = try clients.exchange(active: 1, answers: messages, time: .seconds(2)).answers
        }
        guard let count, answers > 0 else { return nil }
        return Double(count) / Double(answers)
    }

    /// Ten clients by themselves, and ten after another has stalled.
    func measureStall(_ figures: inout ModelFigures) throws(ComparisonError) {
        var server = try ServerProcess(program: program, model: figures.model)
        do throws(SystemCallError) {
            let without = try tenClients(of: server)
            let stalled = try StalledClient(connectingTo: server.address)
            let beside = try tenClients(of: server)
            figures.servedWithoutStall = without.answered
            figures.servedBesideStall = beside.answered
            figures.rateBesideStall = without.rate > 0 ? beside.rate / without.rate : 0
            _ = consume stalled
        } catch { throw ComparisonError("\(figures.model), one client that stalls: \(error)") }
        try server.stop()
    }

    /// How many of ten clients are answered, and the most answers per second of five slices.
    private func tenClients(of server: borrowing ServerProcess) throws(SystemCallError) -> (answered: Int, rate: Double)
    {
        var clients = try ClosedLoopClients()
        try clients.connect(upTo: Judge.busyClients, to: server.address)
        try clients.awaitGreetings(patience: Judge.patience)
        _ = try clients.exchange(active: Judge.busyClients, time: time / 4)
        var answered = 0
        var rate = 0.0
        for _ in 0..<5 {
            let outcome = try clients.exchange(active: Judge.busyClients, time: time)
            answered = max(answered, outcome.answeredClients)
            rate = max(rate, outcome.rate)
        }
        return (answered, rate)
    }
}
