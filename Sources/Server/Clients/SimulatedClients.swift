public import SocketAddresses
internal import SystemCalls

/// Several simulated clients at the same time, each on its own thread.
public enum SimulatedClients {
    /// Runs clients and waits for all of them.
    ///
    /// - Parameters:
    ///   - count: the number of clients. Their names are `conn0`, `conn1` and so on.
    ///   - address: the server's address.
    ///   - pace: the durations for which the clients wait.
    ///   - report: receives each line of the transcript, on the clients' threads and one at a time.
    /// - Returns: the result of each client, in the order of their names.
    public static func run(
        count: Int, connectingTo address: SocketAddress, pace: SimulatedClient.Pace,
        report: @escaping @Sendable (String) -> Void
    ) -> [SimulatedClient.Outcome] {
        let epoch = ContinuousClock.now
        let shared = Shared(report)
        let names = (0..<max(0, count)).map { "conn\($0)" }
        let threads = names.map { name in
            let client = SimulatedClient(
                name: name, address: address, pace: pace, epoch: epoch, report: { shared.report($0) })
            return ClientThread(name: name) { shared.finish(client.run()) }
        }
        for thread in threads {
            if let failure = thread.wait() {
                let now = epoch.duration(to: .now)
                shared.finish(.init(name: thread.name, started: now, ended: now, failure: failure))
            }
        }
        let outcomes = shared.outcomes
        return names.compactMap { name in outcomes.first { $0.name == name } }
    }

    private final class Shared: Sendable {
        private let state = Monitor<[SimulatedClient.Outcome]>([])
        private let sink: Monitor<@Sendable (String) -> Void>

        init(_ sink: @escaping @Sendable (String) -> Void) { self.sink = Monitor(sink) }

        func report(_ line: String) { sink.withLock { sink in sink(line) } }
        func finish(_ outcome: SimulatedClient.Outcome) { state.withLock { $0.append(outcome) } }
        var outcomes: [SimulatedClient.Outcome] { state.withLock { $0 } }
    }

    /// A client's thread, or the reason that it could not be started.
    private final class ClientThread {
        let name: String
        private var thread: PosixThread?
        private var failure: String?

        init(name: String, _ body: @escaping @Sendable () -> Void) {
            self.name = name
            do throws(SystemCallError) { thread = try PosixThread(body) } catch { failure = "\(error)" }
        }

        func wait() -> String? {
            thread.take()?.join()
            return failure
        }
    }
}
