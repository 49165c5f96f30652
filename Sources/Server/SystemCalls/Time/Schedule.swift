/// The schedule of a server's periodic work: heartbeats, sweeps over the connections, and a tick that measures delays.
public struct Schedule: Sendable {
    /// The number of parts into which a sweep is divided.
    ///
    /// Each part is short, so that it does not delay messages.
    public static let sweepParts = 8

    /// The interval between ticks of a loop that measures its delay.
    public static let tickInterval = Duration.milliseconds(100)

    /// The work that is due.
    public struct Due: Sendable {
        /// Whether a heartbeat is due.
        public var heartbeat = false
        /// Whether a sweep, or the next part of a sweep, is due.
        public var sweep = false
        /// How late the tick is, or `nil` if no tick is due.
        public var lateness: Duration?
    }

    private var heartbeat: Periodic?
    private var sweep: Periodic?
    private var tick: Periodic?

    /// Makes a schedule from the intervals of the three kinds of work.
    ///
    /// An interval is `nil` if there is no work of that kind.
    public init(heartbeat: Duration?, sweep: Duration?, tick: Duration?) {
        self.heartbeat = heartbeat.map { Periodic(every: $0) }
        self.sweep = sweep.map { Periodic(every: $0) }
        self.tick = tick.map { Periodic(every: $0) }
    }

    /// The time at which work is next due; `nil` if no work is scheduled.
    public var next: Duration? { [heartbeat?.next, sweep?.next, tick?.next].compactMap { $0 }.min() }

    /// Returns the work that is due, and schedules it again.
    public mutating func take(_ now: Duration) -> Due {
        Due(heartbeat: heartbeat?.take(now) != nil, sweep: sweep?.take(now) != nil, lateness: tick?.take(now))
    }

    /// Divides the connections into the parts of a sweep.
    public struct Part: Sendable {
        private var next = 0

        /// Makes the state before the first part.
        public init() {}

        /// Returns the indices of the next part.
        public mutating func range(of count: Int) -> Range<Int> {
            let start = next < count ? next : 0
            let end = min(start + count / Schedule.sweepParts + 1, count)
            next = end
            return start..<end
        }
    }
}
