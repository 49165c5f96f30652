internal import CLibUV

extension UVLoop {
    /// The maximum number of iterations in which `close` waits for callbacks.
    ///
    /// Each handle and each request needs one or two iterations.
    private static var closingRounds: Int { 100_000 }

    /// Closes the loop and everything that is open on it (`uv_loop_close`).
    ///
    /// The call makes the loop belong to the calling thread. From then on, the loop rejects `execute`, new handles and
    /// new requests. The call runs the jobs that were accepted earlier, cancels every request that no thread has begun
    /// to serve, and closes every open handle. Then it runs the loop until all completions and close callbacks have
    /// been called and the tasks that they resume have run. This wait lasts until the threads of the pool have finished
    /// the requests that they have begun. Finally, the call closes libuv's structure. Closing a closed loop has no
    /// effect.
    ///
    /// - Returns: the handles that the program had not closed. In debug builds, each includes the source location where
    ///   the handle was made.
    /// - Throws: `busy` if the caller is a callback or a job of the loop, if the loop is running on another thread, or
    ///   if the loop is still not idle after a large number of iterations.
    @discardableResult
    public func close() throws(UVError) -> [UVOpenHandle] {
        let wasRunning = remote.withLock { remote in
            if !remote.isRunning { remote.isClosed = true }
            return remote.isRunning
        }
        if wasRunning { throw UVError(.busy, operation: "uv_loop_close") }
        guard unsafe !state.pointee.isClosed else { return [] }
        if isRunningHere { throw UVError(.busy, operation: "uv_loop_close") }
        beginOnThisThread()
        if UVLoop.mayBlock { noteThread() } else { stopServingMainActor() }
        defer { unsafe cuv_end_running(cell) }
        unsafe state.pointee.isClosing = true
        try runUntil { !hasJobs }
        cancelRequests()
        let leftOpen = closeHandles()
        try runUntil { unsafe uv_loop_alive(raw) == 0 && seal() }
        closeOwnHandles()
        try unsafe LibUV.check(uv_loop_close(raw), "uv_loop_close")
        unsafe state.pointee.isClosed = true
        // Lock the mutex, because other threads hold it while they make buffers.
        remote.withLock { _ in unsafe pool.pointee.close() }
        return leftOpen
    }

    /// Runs iterations of the loop until `isDone` returns true, and throws an error if there are too many.
    private func runUntil(_ isDone: () -> Bool) throws(UVError) {
        for _ in 0..<UVLoop.closingRounds {
            if isDone() { return }
            // A task that is on its way to the loop arrives only if its current thread gets to run, so yield the
            // processor.
            if remote.withLock({ $0.visitorCount }) > 0 { sched_yield() }
            look()
            unsafe uv_run(raw, UV_RUN_ONCE)
        }
        throw UVError(.busy, operation: "uv_loop_close")
    }

    /// Rejects all later jobs of tasks, unless jobs are queued or a task is on its way to the loop.
    private func seal() -> Bool {
        remote.withLock { remote in
            remote.isSealed = remote.jobs.isEmpty && remote.visitorCount == 0
            return remote.isSealed
        }
    }

    private func closeHandles() -> [UVOpenHandle] {
        var open: [UVHandle] = []
        walk { if !$0.isClosing { open.append($0) } }
        return open.map { handle in
            let description = unsafe UVOpenHandle(
                type: handle.typeName, location: state.pointee.locations[handle.raw])
            handle.close()
            return description
        }
    }

    /// Closes the loop's own handles, which are the only remaining ones.
    private func closeOwnHandles() {
        let wakeUp = unsafe cuv_handle_of_async(self.wakeUp)
        if unsafe uv_is_closing(wakeUp) == 0 { unsafe uv_close(wakeUp, nil) }
        unsafe cuv_jobs_close(cell)
        closeMainQueue()
        while unsafe uv_run(raw, UV_RUN_NOWAIT) != 0 {}
    }

    /// Closes a loop that was released without `close`.
    ///
    /// Only the internal handles of such a loop can still be open, because every other open handle would have retained
    /// the loop.
    func closeUnused() {
        closeOwnHandles()
        unsafe uv_loop_close(raw)
    }
}
