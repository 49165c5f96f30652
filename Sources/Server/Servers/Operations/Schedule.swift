internal import SystemCalls

/// When the periodic work of a loop or a blocking server is due: heartbeats, sweeps, and a tick that shows how late the
/// loop is.
struct Schedule {
    /// The number of parts in which the connections are swept, so that no part delays a message for long.
    static let sweepParts = 8
    /// How often a measuring loop ticks.
    static let tickInterval = Duration.milliseconds(100)

    /// The work that is due.
    struct Due {
        var heartbeat = false
        var sweep = false
        /// How late the tick is, if one is due.
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

    /// When the next work is due; `nil` if none is.
    var next: Duration? { [heartbeat?.next, sweep?.next, tick?.next].compactMap { $0 }.min() }

    /// Takes the work that is due at a time.
    mutating func take(_ now: Duration) -> Due {
        Due(heartbeat: heartbeat?.take(now) != nil, sweep: sweep?.take(now) != nil, lateness: tick?.take(now))
    }

    /// The connections that the next part of a sweep covers, of so many.
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
