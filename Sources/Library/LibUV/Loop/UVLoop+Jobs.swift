internal import CLibUV

extension UVLoop {
    /// How many jobs run between two rounds of I/O.
    private static var jobsPerRound: Int { 256 }

    /// How many run at the end of a callback that has resumed a task: that task, and what it resumes in turn.
    private static var jobsPerCallback: Int { 16 }

    /// Runs `job` on the loop's thread, after the callbacks of this round or of the next; callable from any thread,
    /// the loop's included.
    ///
    /// Jobs run in the order of their coming, at most 256 between two rounds of I/O. A loop that has a job left
    /// does not end its `run` for want of handles; one that is stopped keeps its jobs for the next `run` or for
    /// `close`, which runs them. In a callback of the loop it costs a place in a list; from elsewhere a lock, and a
    /// write to the loop's descriptor where the loop is not yet woken.
    ///
    /// - Throws: `cancelled` where the loop is closing or closed; the job is dropped.
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

    var hasJobs: Bool { unsafe !state.pointee.jobs.isEmpty || remote.withLock { !$0.jobs.isEmpty } }

    /// Adds a job on the loop's own thread: nothing wakes it, since it looks for jobs by itself.
    ///
    /// It does so after each round of I/O while a job is left, and at the end of the callbacks that resume tasks.
    func enqueueHere(_ job: Job) {
        if unsafe state.pointee.jobs.isEmpty && !state.pointee.hasEpilogue {
            unsafe cuv_jobs_begin(cell, Trampolines.onJobs)
        }
        unsafe state.pointee.jobs.append(job)
    }

    /// Calls `body`, and runs the jobs that it has brought at its end: a task that it resumes goes on at once, while
    /// its bytes are warm, and no handle of the loop's has to be started for it.
    @inline(__always)
    func withEpilogue(_ body: () -> Void) {
        unsafe state.pointee.hasEpilogue = true
        body()
        unsafe state.pointee.hasEpilogue = false
        if unsafe !state.pointee.jobs.isEmpty { runJobs(atMost: UVLoop.jobsPerCallback) }
    }

    /// Runs jobs, those that come meanwhile included, up to a bound; the rest has its turn after the next round.
    func runJobs(atMost limit: Int = jobsPerRound) {
        let serial = unsafe asUnownedSerialExecutor()
        let task = unsafe asUnownedTaskExecutor()
        var budget = limit
        while budget > 0, let job = unsafe state.pointee.jobs.takeFirst() {
            budget -= 1
            switch job {
            case .task(let job): unsafe job.runSynchronously(on: task)
            case .isolated(let job): unsafe job.runSynchronously(on: serial)
            case .closure(let body): body()
            }
        }
        if unsafe state.pointee.jobs.isEmpty {
            if unsafe cuv_has_jobs_begun(cell) != 0 { unsafe cuv_jobs_end(cell) }
        } else {
            unsafe cuv_jobs_begin(cell, Trampolines.onJobs)
        }
    }
}
