internal import SystemCalls

/// A periodic sign of life from a running server.
///
/// The models on loops and the readiness models send it from the loop that serves, so a hung loop sends none. With
/// several loops, each of them must take part. The blocking models give it from a thread of their own, which shows only
/// that the process runs: their other threads wait for clients for as long as that takes.
public struct Heartbeat: Sendable {
    /// The time from one beat to the next.
    public var interval: Duration

    /// Sends the heartbeat; called on the serving thread, which it must not block.
    public var beat: @Sendable () -> Void

    /// Makes a heartbeat.
    public init(every interval: Duration, _ beat: @escaping @Sendable () -> Void) {
        self.interval = interval
        self.beat = beat
    }

    /// Splits the heartbeat into parts that beat together: it beats once all of them have.
    func split(into count: Int) -> [Heartbeat] {
        let missing = Monitor(Set(0..<count))
        return (0..<count).map { part in
            Heartbeat(every: interval) { [beat] in
                let isComplete = missing.withLock { missing in
                    missing.remove(part)
                    guard missing.isEmpty else { return false }
                    missing = Set(0..<count)
                    return true
                }
                if isComplete { beat() }
            }
        }
    }
}
