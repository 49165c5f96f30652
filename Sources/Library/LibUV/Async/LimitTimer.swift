internal import CLibUV
internal import Synchronization

// The time limits of a connection. They share one timer, which is made when it is first needed and closed with the
// stream. The timer is not restarted for each operation. When it expires, it checks which deadlines have passed, and
// runs until the next deadline. Therefore a read that completes within its time limit costs little more than a read
// without a time limit.
//
// Deadlines are in milliseconds of the loop's clock (`uv_now`). `UInt64.max` means that there is no deadline.

/// A task that waits until the write queue of a connection has become shorter.
struct WaitingWriter {
    let operation: PendingOperation<Void>
    let number: UInt32
    let deadline: UInt64
}

/// The timer of a connection's time limits, and the values that it checks.
@safe
struct LimitTimer {
    /// The timer.
    ///
    /// Its `data` is not set, so that it counts as a handle of the loop and not of the program.
    ///
    /// The timer must be the first field, because a pointer to the timer is cast to a pointer to the structure.
    var keeper: cuv_keeper
    /// The time at which the timer expires.
    var due = UInt64.max
    /// The time at which the connection last received or sent bytes, or at which a task began to wait.
    var lastActivity: UInt64 = 0
    /// The length of the write queue when the timer last checked it.
    var lastQueueSize = 0
}

/// The time limits of a connection.
@safe
struct ConnectionLimits: ~Copyable {
    /// The deadline of the task that reads.
    var readDeadline = UInt64.max
    /// The timer, which is made when it is first needed.
    var timer: UnsafeMutablePointer<LimitTimer>?
    /// The idle time limit in milliseconds, or `UInt64.max` for no limit.
    ///
    /// Other threads may change the value.
    private let idleMilliseconds = Atomic<UInt64>(.max)
    /// Whether the timer has woken the task that reads.
    var hasReadTimedOut = false

    init() { unsafe timer = nil }

    var idleLimit: UInt64? {
        let limit = idleMilliseconds.load(ordering: .relaxed)
        return limit == .max ? nil : limit
    }

    /// Sets the idle time limit, from any thread.
    func setIdleLimit(_ limit: Duration?) {
        idleMilliseconds.store(limit.map { min($0.wholeMilliseconds, .max - 1) } ?? .max, ordering: .relaxed)
    }

    /// Whether a task that begins to read must be timed.
    var isTimingReads: Bool { readDeadline != .max || idleLimit != nil }
}

extension UVConnection {
    /// The longest time that a task may wait while the connection neither receives nor sends bytes, or `nil` for no
    /// limit.
    ///
    /// If a task waits in `read` or `write` and the connection has neither received nor sent bytes for this long, the
    /// call throws `timedOut`. The connection stays open. After a read has timed out, the connection can still be used.
    /// After a write has timed out, the connection accepts more writes only if that write had not queued its bytes. The
    /// time limit applies to calls that begin after it is set, and is rounded up to whole milliseconds. The default is
    /// `nil`. Callable from any thread.
    public var idleLimit: Duration? {
        get { unsafe state.pointee.limits.idleLimit.map { .milliseconds($0) } }
        set { unsafe state.pointee.limits.setIdleLimit(newValue) }
    }

    /// Returns the time at which a time limit that begins now will have passed.
    func deadline(after limit: Duration) -> UInt64 { deadline(afterMilliseconds: limit.wholeMilliseconds) }

    private func deadline(afterMilliseconds limit: UInt64) -> UInt64 {
        // The current time is rounded up, so that the deadline is never early.
        let (sum, isForever) = (uv_hrtime() / 1_000_000 + 1).addingReportingOverflow(limit)
        return isForever ? .max : sum
    }

    /// Begins the timed wait of a task that reads.
    func beginTimedRead() {
        unsafe state.pointee.limits.hasReadTimedOut = false
        runTimer(until: unsafe state.pointee.limits.readDeadline)
        watchForIdleness()
    }

    /// Begins the timed wait of a task that writes.
    func beginTimedWrite(until deadline: UInt64) {
        runTimer(until: deadline)
        watchForIdleness()
    }

    private func watchForIdleness() {
        guard let limit = unsafe state.pointee.limits.idleLimit else { return }
        noteActivity()
        unsafe limitTimer().pointee.lastQueueSize = handle.writeQueueSize
        runTimer(until: deadline(afterMilliseconds: limit))
    }

    /// Records that the connection has received or sent bytes.
    func noteActivity() { unsafe limitTimer().pointee.lastActivity = uv_hrtime() / 1_000_000 + 1 }

    /// Ensures that the timer expires at a deadline or earlier.
    private func runTimer(until deadline: UInt64) {
        if deadline == .max { return }
        let timer = unsafe limitTimer()
        guard unsafe deadline < timer.pointee.due else { return }
        unsafe timer.pointee.due = deadline
        let now = unsafe uv_now(loop.raw)
        unsafe uv_timer_start(
            cuv_keeper_timer(keeper(of: timer)), UVConnection.onTimer, deadline > now ? deadline - now : 0, 0)
    }

    private func keeper(of timer: UnsafeMutablePointer<LimitTimer>) -> UnsafeMutablePointer<cuv_keeper> {
        unsafe UnsafeMutableRawPointer(timer).assumingMemoryBound(to: cuv_keeper.self)
    }

    private func limitTimer() -> UnsafeMutablePointer<LimitTimer> {
        if let timer = unsafe state.pointee.limits.timer { return unsafe timer }
        let timer = UnsafeMutablePointer<LimitTimer>.allocate(capacity: 1)
        // The timer need not retain the connection, because the stream retains the connection until the stream has
        // closed, and the timer is closed at that time.
        unsafe timer.initialize(
            to: LimitTimer(keeper: cuv_keeper(timer: uv_timer_t(), kept: Unmanaged.passUnretained(self).toOpaque())))
        let handle = unsafe cuv_keeper_timer(keeper(of: timer))
        unsafe uv_timer_init(loop.raw, handle)
        unsafe uv_unref(cuv_handle_of_timer(handle))
        unsafe state.pointee.limits.timer = timer
        return unsafe timer
    }

    private static let onTimer: uv_timer_cb = { timer in
        guard let timer = unsafe timer else { return }
        let keeper = unsafe cuv_keeper_of_handle(cuv_handle_of_timer(timer))
        unsafe Unmanaged<UVConnection>.fromOpaque(keeper.pointee.kept)._withUnsafeGuaranteedRef { $0.timerExpired() }
    }

    /// Closes the timer when the stream has closed.
    func closeTimer() {
        guard let timer = unsafe state.pointee.limits.timer else { return }
        unsafe state.pointee.limits.timer = nil
        unsafe uv_close(cuv_handle_of_timer(cuv_keeper_timer(keeper(of: timer)))) { handle in
            guard let handle = unsafe handle else { return }
            // The keeper is the first field of a `LimitTimer`.
            unsafe UnsafeMutableRawPointer(cuv_keeper_of_handle(handle))
                .assumingMemoryBound(to: LimitTimer.self).deallocate()
        }
    }

    /// Ends the waits whose deadlines have passed, and runs the timer until the next deadline.
    private func timerExpired() {
        let now = unsafe uv_now(loop.raw)
        unsafe limitTimer().pointee.due = .max
        let idleEnd = idleDeadline()
        let isIdle = idleEnd <= now
        if unsafe reader.pointee.isWaiting {
            if unsafe isIdle || state.pointee.limits.readDeadline <= now {
                unsafe state.pointee.limits.hasReadTimedOut = true
                unsafe reader.pointee.wake(on: loop, false)
            } else {
                runTimer(until: unsafe min(state.pointee.limits.readDeadline, idleEnd))
            }
        }
        let writers = unsafe state.pointee.writers
        unsafe state.pointee.writers.removeAll { isIdle || $0.deadline <= now }
        for writer in writers {
            if isIdle || writer.deadline <= now {
                writer.operation.complete(.failure(UVError(.timedOut, operation: "uv_write")))
            } else {
                runTimer(until: min(writer.deadline, idleEnd))
            }
        }
    }

    /// Returns the time at which the connection will have been idle for too long.
    private func idleDeadline() -> UInt64 {
        guard let limit = unsafe state.pointee.limits.idleLimit else { return .max }
        let queueSize = handle.writeQueueSize
        // If the size of the queue has changed, the kernel has accepted bytes of a write that has not completed yet.
        if unsafe queueSize != limitTimer().pointee.lastQueueSize { noteActivity() }
        unsafe limitTimer().pointee.lastQueueSize = queueSize
        let (sum, isForever) = unsafe limitTimer().pointee.lastActivity.addingReportingOverflow(limit)
        return isForever ? .max : sum
    }
}
