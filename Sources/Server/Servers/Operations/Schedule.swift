internal import SystemCalls

/// The schedule of the periodic work: heartbeats, sweeps, and a tick that measures the loop's delay.
struct Schedule {
    /// The number of parts of a sweep.
    ///
    /// Each part is short, so that it does not delay messages.
    static let sweepParts = 8
    /// The interval between ticks of a loop that measures its delay.
    static let tickInterval = Duration.milliseconds(100)

    /// The work that is due.
    struct Due {
        var heartbeat = false
        var sweep = false
        /// How late the tick is, or `nil` if no tick is due.
        var lateness: Duration?
    }

    private var heartbeat: Periodic?
    private var sweep: Periodic?
    private var tick: Periodic?

    init(_ configuration: ServerConfiguration, isLoop: Bool) {
        heartbeat = configuration.heartbeat.map { Periodic(every: $0.interval) }
        if let interval = configuration.sweepInterval {
            sweep = Periodic(every: isLoop ? interval / Schedule.sweepParts : interval)
        }
        if isLoop, configuration.measures { tick = Periodic(every: Schedule.tickInterval) }
    }

    /// The time at which work is next due; `nil` if no work is scheduled.
    var next: Duration? { [heartbeat?.next, sweep?.next, tick?.next].compactMap { $0 }.min() }

    /// Returns the work that is due, and schedules its next occurrence.
    mutating func take(_ now: Duration) -> Due {
        Due(heartbeat: heartbeat?.take(now) != nil, sweep: sweep?.take(now) != nil, lateness: tick?.take(now))
    }

    /// Divides the connections into the parts of a sweep.
    struct Part {
        private var next = 0
        mutating func range(of count: Int) -> Range<Int> {
            let start = next < count ? next : 0
            let end = min(start + count / Schedule.sweepParts + 1, count)
            next = end
            return start..<end
        }
    }
}
