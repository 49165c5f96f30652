internal import SystemCalls

extension ReadinessLoop where Waiting: ~Copyable {
    /// Makes the timers that the loop is to be woken by.
    mutating func startTimers() throws(SystemCallError) {
        for purpose in ReadinessClock.Purpose.allCases {
            guard let interval = ReadinessClock.interval(of: purpose, configuration) else { continue }
            try start(purpose, every: interval)
        }
        configuration.heartbeat?.beat()
    }

    private mutating func start(_ purpose: ReadinessClock.Purpose, every interval: Duration) throws(SystemCallError) {
        let timer = SharedTimer(try IntervalTimer(every: interval))
        try poller.add(timer.timer.rawValue, .readable)
        clock.add(timer, for: purpose)
    }

    /// A timer's time has come.
    mutating func timePassed(_ descriptor: Int32) {
        switch clock.take(descriptor) {
        case .heartbeat: configuration.heartbeat?.beat()
        case .watch:
            // A drain has a time of its own.
            if stops == 0, configuration.limits.interval != nil { watchConnections() }
            endLateHeaders()
        case .tick: clock.ticked(meter)
        case .refusals: reportRefusals()
        case nil: return
        }
    }

    /// What this second's report does not tell, the next one does, though nobody is refused any more.
    mutating func tellRefusalsLater() {
        guard refusals.hasUnreported, !clock.has(.refusals) else { return }
        // Without a descriptor it is told at the next refusal, or at the end.
        try? start(.refusals, every: .seconds(1))
    }

    private mutating func reportRefusals() {
        refusals.report(at: now)
        guard !refusals.hasUnreported, let timer = clock.remove(.refusals) else { return }
        try? poller.remove(timer.timer.rawValue)
    }
}
