internal import CLibUV

extension UVLoop {
    /// What other threads may touch, under the loop's mutex.
    struct RemoteState {
        var jobs: [Job] = []
        /// Whether the loop has been woken and has not yet looked.
        var isSignalled = false
        var stopRequested = false
        var isRunning = false
        /// Whether `close` has begun: closures are refused.
        var isClosed = false
        /// Whether `close` has run the last job: tasks are refused too.
        var isSealed = false
        var refusedTaskCount = 0
    }

    /// Runs the loop on the calling thread, which the loop belongs to from here on (`uv_run`).
    ///
    /// - Returns: whether anything is still active or closing: false, where there is nothing left to wait for.
    /// - Throws: `busy` where the loop is running already, in a callback of its own or on another thread;
    ///   `cancelled` where it has been closed.
    @discardableResult
    public func run(_ mode: RunMode = .default) throws(UVError) -> Bool {
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
            // `uv_run` does not count jobs, so it runs again until no job is left.
        } while unsafe mode == .default && !state.pointee.stopRequested && hasJobs
        unsafe state.pointee.stopRequested = false
        return isAlive
    }

    func beginRun() throws(UVError) {
        let refusal: UVError.Code? = remote.withLock { remote in
            if remote.isClosed { return .cancelled }
            if remote.isRunning { return .busy }
            remote.isRunning = true
            return nil
        }
        if let refusal { throw UVError(refusal, operation: "uv_run") }
        unsafe cuv_begin_running(cell)
    }

    func endRun() {
        unsafe cuv_end_running(cell)
        remote.withLock { $0.isRunning = false }
    }

    /// Ends `run` after the callbacks of this round; before `run`, the next run returns at once (`uv_stop`).
    ///
    /// Callable from any thread.
    public func stop() {
        remote.withLock { remote in
            guard !remote.isClosed else { return }
            remote.stopRequested = true
            signal(&remote)
        }
    }

    /// Wakes the loop, once for all that comes before it looks.
    ///
    /// Under the mutex, which keeps the handle open.
    func signal(_ remote: inout RemoteState) {
        guard !remote.isSignalled else { return }
        remote.isSignalled = true
        unsafe uv_async_send(wakeUp)
    }

    /// Takes what other threads have left: their jobs, and the wish to stop.
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
