internal import CLibUV

extension UVLoop {
    /// How many jobs run between two rounds of I/O.
    private static var jobsPerRound: Int { 256 }

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

    /// Adds a job on the loop's own thread, which looks for jobs after each round of I/O: nothing wakes it.
    func enqueueHere(_ job: Job) {
        if unsafe state.pointee.jobs.isEmpty { unsafe cuv_jobs_begin(cell, Trampolines.onJobs) }
        unsafe state.pointee.jobs.append(job)
    }

    /// Runs jobs, those that come meanwhile included, up to a bound; the rest has its turn after the next round.
    func runJobs() {
        let serial = unsafe asUnownedSerialExecutor()
        let task = unsafe asUnownedTaskExecutor()
        var budget = UVLoop.jobsPerRound
        while budget > 0, let job = unsafe state.pointee.jobs.takeFirst() {
            budget -= 1
            switch job {
            case .task(let job): unsafe job.runSynchronously(on: task)
            case .isolated(let job): unsafe job.runSynchronously(on: serial)
            case .closure(let body): body()
            case .none: break
            }
        }
        if unsafe state.pointee.jobs.isEmpty { unsafe cuv_jobs_end(cell) }
    }
}
