import LibUV

/// A point in time, and the total time that the loop had been idle until then.
struct LoopMoment {
    let time: Duration
    let idleTime: Duration

    /// Reads the current values.
    init(of loop: UVLoop) {
        // The idle time is read before `time`. If `time` were read first, the idle time could include a later wait, and
        // the busy time would be too short.
        idleTime = loop.idleTime
        time = UVSystem.monotonicTime
    }

    /// Returns how long the loop has been busy since an earlier moment, and how much time has passed since then.
    func busyTime(since start: LoopMoment) -> (busy: Duration, passed: Duration) {
        let passed = time - start.time
        return (max(.zero, passed - (idleTime - start.idleTime)), passed)
    }
}
