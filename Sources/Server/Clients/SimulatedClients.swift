public import SocketAddresses
internal import SystemCalls

/// Runs several simulated clients at the same time, each on its own thread.
public enum SimulatedClients {
    /// Runs clients and waits for all of them.
    ///
    /// - Parameters:
    ///   - count: the number of clients. Their names are `conn0`, `conn1` and so on.
    ///   - address: the server's address.
    ///   - pace: the durations that determine the clients' pace.
    ///   - report: called with each line of the transcript. The calls come from the clients' threads, one at a time.
    /// - Returns: the results, one for each client, in the order of the clients' numbers.
    public static func run(
        count: Int, connectingTo address: SocketAddress, pace: SimulatedClient.Pace,
        report: @escaping @Sendable (String) -> Void
    ) -> [SimulatedClient.Outcome] {
        let epoch = ContinuousClock.now
        let sink = Monitor(report)
        let outcomes = Monitor<[SimulatedClient.Outcome]>([])
        let threads = ThreadGroup()
        let names = (0..<max(0, count)).map { "conn\($0)" }
        for name in names {
            let client = SimulatedClient(
                name: name, address: address, pace: pace, epoch: epoch,
                report: { line in sink.withLock { report in report(line) } })
            do throws(SystemCallError) {
                try threads.start {
                    let outcome = client.run()
                    outcomes.withLock { $0.append(outcome) }
                }
            } catch {
                let now = epoch.duration(to: .now)
                let outcome = SimulatedClient.Outcome(name: name, started: now, ended: now, failure: "\(error)")
                outcomes.withLock { $0.append(outcome) }
            }
        }
        threads.joinAll()
        return outcomes.withLock { outcomes in
            names.compactMap { name in outcomes.first { $0.name == name } }
        }
    }
}
