internal import CLibUV

// Actors and tasks on the loop. A job that comes from the loop's own thread costs no system call: the loop looks for
// jobs after each round of I/O. One from another thread wakes the loop, once for all that come before it looks.

//
// The runtime must be told of each job what it is run as: code of an actor on the loop, or code of a task that prefers
// the loop. Told the other thing, it takes the way from one function to the next for a change of executor, and enqueues
// the task again. Both protocols ask for a function of one name, hence the attribute.

extension UVLoop: SerialExecutor, TaskExecutor {
    /// Takes a piece of a task in an actor of the loop, to be run on the loop's thread; called by the Swift runtime,
    /// on any thread.
    ///
    /// - Before `run`, and after `stop`: it waits for the next `run`, or for `close`.
    /// - During `close`: it is run, as long as something on the loop is not yet closed.
    /// - After `close`: it cannot be run, and its task never goes on. That is a mistake of the program, which closed
    ///   a loop that a task still needed: it is counted in `refusedTaskCount`, and the first one is reported on
    ///   standard error.
    public func enqueue(_ job: consuming ExecutorJob) { enqueue(.isolated(UnownedJob(job))) }

    /// The same for a piece of a task that prefers the loop as its executor.
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

    /// The loop as the executor of actors.
    public func asUnownedSerialExecutor() -> UnownedSerialExecutor { unsafe UnownedSerialExecutor(ordinary: self) }

    /// The loop as the preferred executor of tasks.
    public func asUnownedTaskExecutor() -> UnownedTaskExecutor { unsafe UnownedTaskExecutor(ordinary: self) }

    /// Whether the calling thread is running this loop, or closing it: in callbacks, jobs and tasks of the loop.
    public func isIsolatingCurrentContext() -> Bool? { isRunningHere }

    /// Traps where the calling thread is not running this loop.
    public func checkIsolated() {
        precondition(isRunningHere, "code that belongs to a UVLoop is run outside of it; see UVLoop.execute")
    }

    /// How many pieces of tasks came after `close`, and were not run; callable from any thread.
    public var refusedTaskCount: Int { remote.withLock { $0.refusedTaskCount } }
}
