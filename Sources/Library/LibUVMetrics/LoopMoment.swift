import LibUV

/// A moment of a loop: what the clock says, and how long the loop has waited by then.
struct LoopMoment {
    let time: Duration
    let idleTime: Duration

    /// The moment now.
    init(of loop: UVLoop) {
        // In this order: a wait that the clock had not seen yet would make the busy time too short.
        idleTime = loop.idleTime
        time = UVSystem.monotonicTime
    }

    /// How long the loop has been busy since an earlier moment, and how much time has passed.
    func busyTime(since start: LoopMoment) -> (busy: Duration, passed: Duration) {
        let passed = time - start.time
        return (max(.zero, passed - (idleTime - start.idleTime)), passed)
    }
}
