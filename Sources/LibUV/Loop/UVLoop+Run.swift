internal import CLibUV
internal import Synchronization

extension UVLoop {
    /// What other threads may touch, under the loop's mutex.
    struct RemoteState {
        var jobs: [@Sendable () -> Void] = []
        /// Whether the loop has been woken and has not yet looked.
        var isSignalled = false
        var stopRequested = false
        var isRunning = false
        var isClosed = false
    }

    /// How many jobs of `execute` run between two rounds of I/O.
    private static var jobsPerRound: Int { 256 }

    /// Runs the loop on the calling thread, which the loop belongs to from here on (`uv_run`).
    ///
    /// - Returns: whether anything is still active or closing: false, where there is nothing left to wait for.
    /// - Throws: `busy` where the loop is running already, in a callback of its own or on another thread;
    ///   `cancelled` where it has been closed.
    @discardableResult
    public func run(_ mode: RunMode = .default) throws(UVError) -> Bool {
        try beginRun()
        defer { remote.withLock { $0.isRunning = false } }
        let rawMode =
            switch mode {
            case .default: UV_RUN_DEFAULT
            case .once: UV_RUN_ONCE
            case .noWait: UV_RUN_NOWAIT
            }
        var isAlive: Bool
        repeat {
            runJobs()
            isAlive = unsafe uv_run(raw, rawMode) != 0
            // Jobs keep a loop running that has nothing else: none of them is left behind by a normal end.
        } while unsafe mode == .default && !state.pointee.stopRequested && hasJobs
        unsafe state.pointee.stopRequested = false
        return isAlive
    }

    private func beginRun() throws(UVError) {
        let refusal: UVError.Code? = remote.withLock { remote in
            if remote.isClosed { return .cancelled }
            if remote.isRunning { return .busy }
            remote.isRunning = true
            return nil
        }
        if let refusal { throw UVError(refusal, operation: "uv_run") }
        unsafe cell.pointee.thread = uv_thread_self()
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

    /// Runs `job` on the loop's thread, in the next round; callable from any thread, the loop's included.
    ///
    /// Jobs run in the order of their coming, at most 256 between two rounds of I/O. A loop that has a job left
    /// does not end its `run` for want of handles; one that is stopped keeps its jobs for the next `run` or for
    /// `close`, which runs them. Costs a lock, and a write to the loop's descriptor where the loop is not yet woken.
    ///
    /// - Throws: `cancelled` where the loop has been closed; the job is dropped.
    public func execute(_ job: @escaping @Sendable () -> Void) throws(UVError) {
        let isAccepted = remote.withLock { remote in
            guard !remote.isClosed else { return false }
            remote.jobs.append(job)
            signal(&remote)
            return true
        }
        guard isAccepted else { throw UVError(.cancelled, operation: "UVLoop.execute") }
    }

    /// Wakes the loop, once for all that comes before it looks.
    ///
    /// Under the mutex, which keeps the handle open.
    private func signal(_ remote: inout RemoteState) {
        guard !remote.isSignalled else { return }
        remote.isSignalled = true
        unsafe uv_async_send(wakeUp)
    }

    var hasJobs: Bool {
        unsafe state.pointee.nextJob < state.pointee.jobs.count || remote.withLock { !$0.jobs.isEmpty }
    }

    /// Runs the jobs that have come, up to a bound; what is beyond it wakes the loop again.
    func runJobs() {
        look()
        var budget = UVLoop.jobsPerRound
        while budget > 0, unsafe state.pointee.nextJob < state.pointee.jobs.count {
            let job = unsafe state.pointee.jobs[state.pointee.nextJob]
            unsafe state.pointee.nextJob += 1
            budget -= 1
            job()
        }
        // What is left over here, and what came while something was, has nobody else to wake the loop for it.
        let isLeftOver = unsafe state.pointee.nextJob < state.pointee.jobs.count
        remote.withLock { remote in if isLeftOver || !remote.jobs.isEmpty { signal(&remote) } }
    }

    /// Takes what other threads have left: the jobs, once the ones taken before have run, and the wish to stop.
    private func look() {
        let isDone = unsafe state.pointee.nextJob == state.pointee.jobs.count
        if isDone {
            unsafe state.pointee.jobs.removeAll(keepingCapacity: true)
            unsafe state.pointee.nextJob = 0
        }
        let isStopping = remote.withLock { remote in
            remote.isSignalled = false
            if isDone { unsafe swap(&remote.jobs, &state.pointee.jobs) }
            defer { remote.stopRequested = false }
            return remote.stopRequested
        }
        guard isStopping else { return }
        unsafe state.pointee.stopRequested = true
        unsafe uv_stop(raw)
    }
}
