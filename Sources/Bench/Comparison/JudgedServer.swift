internal import Clients
internal import SystemCalls

/// A model's server with its clients, while the models' speeds are measured side by side.
final class JudgedServer {
    private var server: ServerProcess
    private var clients: ClosedLoopClients

    /// The model's name.
    let model: String

    init(program: String, model: String) throws(ComparisonError) {
        self.model = model
        server = try ServerProcess(program: program, model: model)
        do throws(SystemCallError) { clients = try ClosedLoopClients() } catch {
            throw ComparisonError("\(model): \(error)")
        }
    }

    /// Prepares for a load: connects the clients that it lacks.
    func prepare(for load: JudgedLoad) throws(ComparisonError) {
        guard case .clients(let count) = load else { return }
        do throws(SystemCallError) {
            try clients.connect(upTo: count, to: server.address)
            try clients.awaitGreetings(patience: Judge.patience)
        } catch { throw ComparisonError("\(model), \(count) clients: \(error)") }
    }

    /// Measures for a time, after a tenth of it that is not counted.
    func measure(_ load: JudgedLoad, for time: Duration) throws(ComparisonError) -> JudgedSpeed.Slice {
        do throws(SystemCallError) {
            _ = try run(load, for: time / 10)
            let begin = try ProcessUsage.processorTime(of: server.processIdentifier)
            let (answers, rate) = try run(load, for: time)
            let spent = try ProcessUsage.processorTime(of: server.processIdentifier) - begin
            return JudgedSpeed.Slice(rate: rate, cost: answers > 0 ? spent / .seconds(1) / Double(answers) : nil)
        } catch { throw ComparisonError("\(model), while its speed was measured: \(error)") }
    }

    private func run(_ load: JudgedLoad, for time: Duration) throws(SystemCallError) -> (answers: Int, rate: Double) {
        switch load {
        case .clients:
            let outcome = try clients.exchange(active: Judge.busyClients, time: time)
            return (outcome.answers, outcome.rate)
        case .connections:
            let outcome = try ConnectPerRequest.run(against: server.address, count: .max, time: time)
            return (outcome.answers, outcome.rate)
        }
    }

    /// Lets the clients go, and stops the server.
    func stop() throws(ComparisonError) {
        do throws(SystemCallError) { clients = try ClosedLoopClients() } catch {
            throw ComparisonError("\(model): \(error)")
        }
        try server.stop()
    }
}
