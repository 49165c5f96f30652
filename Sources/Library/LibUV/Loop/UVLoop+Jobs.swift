internal import CLibUV

extension UVLoop {
    /// The maximum number of jobs that run between two passes of I/O.
    private static var jobsPerRound: Int { 256 }

    /// The maximum number of jobs that run at the end of a callback that has resumed a task.
    ///
    /// The limit includes the job of that task, the jobs that this job enqueues, and any jobs that were queued before.
    private static var jobsPerCallback: Int { 16 }

    /// Runs a closure on the loop's thread, after the callbacks of the current or the next iteration.
    ///
    /// Callable from any thread, including the loop's. Jobs run in the order of the calls, at most 256 between two
    /// passes of I/O. While jobs are queued, `run` does not return for lack of active handles. If the loop is stopped,
    /// the jobs wait for the next call of `run` or `close`, which runs them. On the loop's thread, the call only
    /// appends to a list. On another thread, it takes a lock, and writes to a descriptor of the loop unless the loop
    /// has already been woken.
    ///
    /// - Throws: `cancelled` if the loop is closing or closed. In this case, the closure is not called.
    public func execute(_ job: @escaping @Sendable () -> Void) throws(UVError) {
        if isRunningHere, unsafe !state.pointee.isClosing { return enqueueHere(.closure(job)) }
        let isAccepted = remote.withLock { remote in
            guard !remote.isClosed else { return false }
            remote.jobs.append(.closure(job))
            signal(&remote)
            return true
        }
        guard isAccepted else { throw UVError(.cancelled, operation: "UVLoop.execute") }
    }

    /// Whether the calling thread is running or closing the loop.
    var isRunningHere: Bool { unsafe cuv_is_running_here(cell) != 0 }

    var hasJobs: Bool { hasOwnJobs || remote.withLock { !$0.jobs.isEmpty } }

    /// Enqueues a job on the loop's own thread, without waking the loop.
    ///
    /// The loop checks for jobs after each pass of I/O while jobs are queued, and at the end of callbacks that resume
    /// tasks.
    func enqueueHere(_ job: Job) {
        if unsafe state.pointee.jobs.isEmpty && !state.pointee.hasEpilogue {
            unsafe cuv_jobs_begin(cell, Trampolines.onJobs)
        }
        unsafe state.pointee.jobs.append(job)
    }

    /// Runs a job of a task that a callback has resumed, and then the jobs that this job has enqueued.
    ///
    /// Call this function at the end of a callback. If other jobs are queued, the job runs after them.
    func runAtEndOfCallback(_ job: Job) {
        guard unsafe state.pointee.jobs.isEmpty else {
            unsafe state.pointee.jobs.append(job)
            return runJobs(atMost: UVLoop.jobsPerCallback)
        }
        // Jobs that this job enqueues need not start the loop's handles, because this function runs them below.
        unsafe state.pointee.hasEpilogue = true
        run(job)
        unsafe state.pointee.hasEpilogue = false
        if unsafe !state.pointee.jobs.isEmpty { runJobs(atMost: UVLoop.jobsPerCallback - 1) }
    }

    @inline(__always)
    private func run(_ job: Job) {
        switch job {
        case .task(let job): unsafe job.runSynchronously(on: asUnownedTaskExecutor())
        case .isolated(let job): unsafe job.runSynchronously(on: asUnownedSerialExecutor())
        case .closure(let body): body()
        }
    }

    /// Runs queued jobs and the jobs that they enqueue, up to a limit.
    ///
    /// The remaining jobs run after the next pass of I/O.
    func runJobs(atMost limit: Int = jobsPerRound) {
        var budget = limit
        while budget > 0, let job = unsafe state.pointee.jobs.takeFirst() {
            budget -= 1
            run(job)
        }
        if !hasOwnJobs {
            if unsafe cuv_has_jobs_begun(cell) != 0 { unsafe cuv_jobs_end(cell) }
        } else {
            unsafe cuv_jobs_begin(cell, Trampolines.onJobs)
        }
    }
}
