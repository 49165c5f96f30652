/// A periodic notification that the program is alive.
public struct Heartbeat: Sendable {
    /// The time from one beat to the next.
    public var interval: Duration

    /// Sends the heartbeat.
    ///
    /// A thread of the server calls the closure, which must not block.
    public var beat: @Sendable () -> Void

    /// Makes a heartbeat.
    public init(every interval: Duration, _ beat: @escaping @Sendable () -> Void) {
        self.interval = interval
        self.beat = beat
    }

    /// Splits the heartbeat into parts, for example one for each thread.
    ///
    /// Once every part has been sent, this heartbeat is sent. It is sent again only after every part has been sent
    /// again.
    public func split(into count: Int) -> [Heartbeat] {
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
