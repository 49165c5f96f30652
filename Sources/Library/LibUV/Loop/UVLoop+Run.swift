internal import CLibUV

extension UVLoop {
    /// The state that other threads may access, protected by the loop's mutex.
    struct RemoteState {
        var jobs: [Job] = []
        /// Whether the loop has been woken and has not checked for jobs since.
        var isSignalled = false
        var stopRequested = false
        var isRunning = false
        /// Whether `close` has begun, after which closures are rejected.
        var isClosed = false
        /// Whether `close` has run the last job, after which jobs of tasks are also rejected.
        var isSealed = false
        var refusedTaskCount = 0
        /// The number of tasks that are on their way to the loop, for which `close` waits.
        var visitorCount = 0
        var wakeUpCount = 0
    }

    // The function is disfavored and variadic for the sake of `UVLoop.run { loop in … }`. If such a closure contains an
    // error, the compiler also tries to pass the closure to this function. If the function were neither disfavored nor
    // variadic, the compiler would ignore the closure, and report at the name `run` that an instance member cannot be
    // used. scripts/check-compiler checks the messages.

    /// Runs the loop on the calling thread, to which the loop then belongs (`uv_run`).
    ///
    /// - Parameter mode: how long to run. Without an argument, the mode is `default`. Pass at most one mode; if there
    ///   are several, the last one counts.
    /// - Returns: whether handles or requests are still active or closing; `false` if there is nothing left to wait
    ///   for.
    /// - Throws: `busy` if the loop is already running on another thread, or if the caller is a callback of the loop;
    ///   `cancelled` if the loop is closing or closed; `notSupported` in a job of the main actor, because the call
    ///   would block the main actor.
    @discardableResult
    @_disfavoredOverload
    public func run(_ mode: RunMode...) throws(UVError) -> Bool {
        let mode = mode.last ?? .default
        try beginRun()
        defer { endRun() }
        let rawMode =
            switch mode {
            case .default: UV_RUN_DEFAULT
            case .once: UV_RUN_ONCE
            case .noWait: UV_RUN_NOWAIT
            }
        var isAlive: Bool
        repeat {
            look()
            isAlive = unsafe uv_run(raw, rawMode) != 0
            // `uv_run` does not know about jobs, so call it again until no job is queued.
        } while unsafe mode == .default && !state.pointee.stopRequested && hasJobs
        unsafe state.pointee.stopRequested = false
        return isAlive
    }

    func beginRun() throws(UVError) {
        guard UVLoop.mayBlock else { throw UVLoop.blocksMainActor }
        let refusal: UVError.Code? = remote.withLock { remote in
            if remote.isClosed { return .cancelled }
            if remote.isRunning { return .busy }
            remote.isRunning = true
            return nil
        }
        if let refusal { throw UVError(refusal, operation: "uv_run") }
        beginOnThisThread()
        noteThread()
        countRun(1)
    }

    /// Makes the loop and its buffer pool belong to the calling thread, which is about to run or close the loop.
    func beginOnThisThread() {
        unsafe cuv_begin_running(cell)
        unsafe cuv_returned_belong_here(pool.pointee.returned)
    }

    func endRun() {
        countRun(-1)
        unsafe cuv_end_running(cell)
        remote.withLock { $0.isRunning = false }
    }

    /// Makes `run` return after the callbacks of the current iteration (`uv_stop`).
    ///
    /// If the loop is not running, the next call of `run` returns immediately.
    ///
    /// Callable from any thread.
    public func stop() {
        remote.withLock { remote in
            guard !remote.isClosed else { return }
            remote.stopRequested = true
            signal(&remote)
        }
    }

    /// Wakes the loop, unless it has already been woken and has not checked for jobs since.
    ///
    /// Call this function while holding the mutex, which prevents the wake-up handle from being closed.
    func signal(_ remote: inout RemoteState) {
        guard !remote.isSignalled else { return }
        remote.isSignalled = true
        remote.wakeUpCount += 1
        unsafe uv_async_send(wakeUp)
    }

    /// Takes over the jobs that other threads have enqueued, and stops the loop if another thread has requested it.
    func look() {
        let isStopping = remote.withLock { remote in
            remote.isSignalled = false
            unsafe state.pointee.jobs.append(contentsOf: remote.jobs)
            remote.jobs.removeAll(keepingCapacity: true)
            defer { remote.stopRequested = false }
            return remote.stopRequested
        }
        if unsafe !state.pointee.jobs.isEmpty { unsafe cuv_jobs_begin(cell, Trampolines.onJobs) }
        guard isStopping else { return }
        unsafe state.pointee.stopRequested = true
        unsafe uv_stop(raw)
    }
}
