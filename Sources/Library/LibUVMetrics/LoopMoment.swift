import LibUV

/// The time and a loop's accumulated idle time at one moment.
struct LoopMoment {
    let time: Duration
    let idleTime: Duration

    /// Records the current moment.
    init(of loop: UVLoop) {
        // The idle time is read first, so that it never includes a wait that is later than `time`. Otherwise the busy
        // time would be too short.
        idleTime = loop.idleTime
        time = UVSystem.monotonicTime
    }

    /// How long the loop has been busy since an earlier moment, and how much time has passed.
    func busyTime(since start: LoopMoment) -> (busy: Duration, passed: Duration) {
        let passed = time - start.time
        return (max(.zero, passed - (idleTime - start.idleTime)), passed)
    }
}
