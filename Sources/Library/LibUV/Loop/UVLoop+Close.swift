internal import CLibUV

extension UVLoop {
    /// How many rounds a close waits for callbacks that are due; each handle and request needs one or two.
    private static var closingRounds: Int { 100_000 }

    /// Closes the loop and all that is open on it (`uv_loop_close`); the loop then belongs to the calling thread.
    ///
    /// From the first step on, `execute`, new handles and new requests are refused. Jobs that had been accepted are
    /// run; every request is cancelled that no thread has begun to serve, and every open handle is closed; the loop
    /// runs until every completion and close callback has been called, for which it waits as long as threads of the
    /// pool take, and tasks that those resume have run as far as they come; then libuv's own structure is closed.
    /// Closing a closed loop does nothing.
    ///
    /// - Returns: the handles that nobody had closed, with the place of their creation in debug builds.
    /// - Throws: `busy` in a callback or job of the loop, while it runs on another thread, or where something still
    ///   keeps it alive after a bounded number of rounds.
    @discardableResult
    public func close() throws(UVError) -> [UVOpenHandle] {
        let wasRunning = remote.withLock { remote in
            if !remote.isRunning { remote.isClosed = true }
            return remote.isRunning
        }
        if wasRunning { throw UVError(.busy, operation: "uv_loop_close") }
        guard unsafe !state.pointee.isClosed else { return [] }
        if isRunningHere { throw UVError(.busy, operation: "uv_loop_close") }
        unsafe cuv_begin_running(cell)
        defer { unsafe cuv_end_running(cell) }
        unsafe state.pointee.isClosing = true
        try runUntil { !hasJobs }
        cancelRequests()
        let leftOpen = closeHandles()
        try runUntil { unsafe uv_loop_alive(raw) == 0 && seal() }
        closeOwnHandles()
        try unsafe LibUV.check(uv_loop_close(raw), "uv_loop_close")
        unsafe state.pointee.isClosed = true
        unsafe pool.pointee.close()
        return leftOpen
    }

    /// Runs round after round until `isDone`; throws where that takes too many.
    private func runUntil(_ isDone: () -> Bool) throws(UVError) {
        for _ in 0..<UVLoop.closingRounds {
            if isDone() { return }
            look()
            unsafe uv_run(raw, UV_RUN_ONCE)
        }
        throw UVError(.busy, operation: "uv_loop_close")
    }

    /// Refuses tasks from here on, where none is waiting.
    private func seal() -> Bool {
        remote.withLock { remote in
            remote.isSealed = remote.jobs.isEmpty
            return remote.isSealed
        }
    }

    private func closeHandles() -> [UVOpenHandle] {
        var open: [UVHandle] = []
        walk { if !$0.isClosing { open.append($0) } }
        return open.map { handle in
            let description = unsafe UVOpenHandle(
                type: handle.typeName, place: state.pointee.places[handle.raw])
            handle.close()
            return description
        }
    }

    /// Closes the loop's own handles, which is all that is left.
    private func closeOwnHandles() {
        let wakeUp = unsafe cuv_handle_of_async(self.wakeUp)
        if unsafe uv_is_closing(wakeUp) == 0 { unsafe uv_close(wakeUp, nil) }
        unsafe cuv_jobs_close(cell)
        while unsafe uv_run(raw, UV_RUN_NOWAIT) != 0 {}
    }

    /// Closes a loop that was dropped without `close`: it has no handle but its own.
    func closeUnused() {
        closeOwnHandles()
        unsafe uv_loop_close(raw)
    }
}
