internal import SystemCalls

/// What a readiness loop does by the clock, where it does anything: timers of the kernel's that wake it.
///
/// No wait has a time limit, and no message pays for what is done now and then.
struct ReadinessClock {
    /// What a timer is for.
    enum Purpose: CaseIterable {
        /// To give a sign of life.
        case heartbeat
        /// To look at some of the connections, and at what proxies owe.
        case watch
        /// To find out how late the loop is.
        case tick
        /// To say what has not been said of refusals.
        case refusals
    }

    /// When this round's events were known, in nanoseconds; 0 unless the loop measures or drains.
    var roundBegin: UInt64 = 0
    private var timers: [Int32: (purpose: Purpose, timer: SharedTimer)] = [:]
    private var nextTick: UInt64 = 0

    /// How often the loop is woken for a purpose; `nil` where there is nothing to do.
    static func interval(of purpose: Purpose, _ configuration: ServerConfiguration) -> Duration? {
        switch purpose {
        case .heartbeat: configuration.heartbeat?.interval
        case .watch:
            configuration.limits.interval.map { $0 / ConnectionLimits.parts }
                ?? (configuration.trustedProxies.isEmpty ? nil : TrustedProxies.timeout / 6)
        case .tick: configuration.measures ? ServerMeter.tick : nil
        case .refusals: nil
        }
    }

    /// Keeps a timer that a poller waits for.
    mutating func add(_ timer: SharedTimer, for purpose: Purpose) { timers[timer.timer.rawValue] = (purpose, timer) }

    /// What the timer with a descriptor is for, which then waits for its next time; `nil` where there is none.
    func take(_ descriptor: Int32) -> Purpose? {
        guard let entry = timers[descriptor] else { return nil }
        entry.timer.timer.clear()
        return entry.purpose
    }

    /// Gives a timer up.
    ///
    /// - Returns: its descriptor, open until the result goes.
    mutating func remove(_ purpose: Purpose) -> SharedTimer? {
        guard let descriptor = timers.first(where: { $0.value.purpose == purpose })?.key else { return nil }
        return timers.removeValue(forKey: descriptor)?.timer
    }

    func has(_ purpose: Purpose) -> Bool { timers.values.contains { $0.purpose == purpose } }

    /// The time of a tick has come.
    mutating func ticked(_ meter: ServerMeter) {
        let now = MonotonicTime.nanoseconds()
        meter.ticked(nanosecondsLate: nextTick != 0 && now > nextTick ? Int(clamping: now - nextTick) : 0)
        // The kernel's timer keeps its pace, however late it was noticed.
        if nextTick == 0 { nextTick = now }
        while nextTick <= now { nextTick += ServerMeter.tickNanoseconds }
    }
}
