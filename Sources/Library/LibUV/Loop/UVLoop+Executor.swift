internal import CLibUV

// Actors and tasks on the loop. Enqueueing a job on the loop's own thread makes no system call, because the loop checks
// for jobs after each pass of I/O. Enqueueing a job on another thread wakes the loop. All jobs that are enqueued before
// the loop checks share one wake-up.
//
// When the loop runs a job, it must tell the runtime whether the job belongs to an actor on the loop or to a task that
// prefers the loop. If the loop confused the two cases, the runtime would assume a change of executor at each call
// between functions, and would enqueue the task again. Both protocols require a function with the same name, so one of
// the two functions has the attribute `@_implements`.

extension UVLoop: SerialExecutor, TaskExecutor {
    /// Enqueues a job of an actor, to be run on the loop's thread.
    ///
    /// The Swift runtime calls this function, on any thread.
    ///
    /// - Before `run` and after `stop`, the job waits for the next call of `run` or `close`.
    /// - During `close`, the job is run if the loop still has open handles or pending requests.
    /// - After `close`, the job cannot be run, and its task never continues. This is a mistake in the program, which
    ///   has closed a loop that a task still needs. `refusedTaskCount` counts such jobs, and the first one is reported
    ///   on standard error.
    public func enqueue(_ job: consuming ExecutorJob) { enqueue(.isolated(UnownedJob(job))) }

    /// Enqueues a job of a task that prefers the loop as its executor.
    @_implements(TaskExecutor,enqueue(_:))
    public func enqueuePreferring(_ job: consuming ExecutorJob) { enqueue(.task(UnownedJob(job))) }

    private func enqueue(_ job: Job) {
        if isRunningHere { return enqueueHere(job) }
        let isFirstRefusal = remote.withLock { remote in
            guard !remote.isSealed else {
                remote.refusedTaskCount += 1
                return remote.refusedTaskCount == 1
            }
            remote.jobs.append(job)
            signal(&remote)
            return false
        }
        if isFirstRefusal { RefusedTaskReport.print() }
    }

    /// Returns the loop as the executor of actors.
    public func asUnownedSerialExecutor() -> UnownedSerialExecutor { unsafe UnownedSerialExecutor(ordinary: self) }

    /// Returns the loop as the preferred executor of tasks.
    public func asUnownedTaskExecutor() -> UnownedTaskExecutor { unsafe UnownedTaskExecutor(ordinary: self) }

    /// Returns whether the calling thread is running or closing this loop.
    ///
    /// This is the case in callbacks, jobs and tasks of the loop.
    public func isIsolatingCurrentContext() -> Bool? { isRunningHere }

    /// Ends the process with a message if the calling thread is not running or closing this loop.
    ///
    /// The Swift runtime calls this function, for example in `assumeIsolated`.
    public func checkIsolated() { checkIsolated("code that must run on a UVLoop") }

    func checkIsolated(_ subject: StaticString) {
        // Unlike `precondition`, this prints its message even in release builds.
        guard isRunningHere else { fatalError("\(subject) was used outside of the loop; see UVLoop.task and UVActor") }
    }

    /// The number of task jobs that were enqueued after `close` and therefore never run.
    ///
    /// Callable from any thread.
    public var refusedTaskCount: Int { remote.withLock { $0.refusedTaskCount } }
}
