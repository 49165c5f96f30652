internal import SystemCalls

/// A sign of life that a server gives again and again while it runs, from where it shows that it serves.
///
/// The models on loops, and those that wait for readiness, give it from the loop that serves: one that hangs gives none. Of
/// several loops, every one must have turned. The blocking models give it from a thread of their own, which shows no more
/// than that the process runs: their other threads wait for clients, and nobody can tell for how long they should.
public struct Heartbeat: Sendable {
    /// From one sign to the next.
    public var interval: Duration

    /// Gives the sign; called on the thread that serves, which it must not hold up.
    public var beat: @Sendable () -> Void

    /// Makes a heartbeat.
    public init(every interval: Duration, _ beat: @escaping @Sendable () -> Void) {
        self.interval = interval
        self.beat = beat
    }

    /// Splits the heartbeat into parts, which beat together: it beats once each of them has.
    func split(into count: Int) -> [Heartbeat] {
        let waiting = Monitor(Set(0..<count))
        return (0..<count).map { part in
            Heartbeat(every: interval) { [beat] in
                let isComplete = waiting.withLock { waiting in
                    waiting.remove(part)
                    guard waiting.isEmpty else { return false }
                    waiting = Set(0..<count)
                    return true
                }
                if isComplete { beat() }
            }
        }
    }
}
