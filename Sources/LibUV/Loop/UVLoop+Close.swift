internal import CLibUV
internal import Synchronization

extension UVLoop {
    /// How many rounds a close waits for callbacks that are due; each handle and request needs one or two.
    private static var closingRounds: Int { 100_000 }

    /// Closes the loop and all that is open on it (`uv_loop_close`); the loop then belongs to the calling thread.
    ///
    /// From the first step on, `execute` and new handles are refused. Jobs that had been accepted are run; every
    /// open handle is closed; the loop runs until every completion and close callback has been called; then
    /// libuv's own structure is closed. Closing a closed loop does nothing.
    ///
    /// - Returns: the handles that nobody had closed, with the place of their creation in debug builds.
    /// - Throws: `busy` in a callback of the loop, while it runs on another thread, in a job that a
    ///   close runs, or where something still keeps it alive after a bounded number of rounds.
    @discardableResult
    public func close() throws(UVError) -> [UVOpenHandle] {
        let wasRunning = remote.withLock { remote in
            if !remote.isRunning { remote.isClosed = true }
            return remote.isRunning
        }
        if wasRunning { throw UVError(.busy, operation: "uv_loop_close") }
        guard unsafe !state.pointee.isClosed else { return [] }
        if unsafe state.pointee.isClosing { throw UVError(.busy, operation: "uv_loop_close") }
        unsafe cell.pointee.thread = uv_thread_self()
        unsafe state.pointee.isClosing = true
        while hasJobs { runJobs() }
        let leftOpen = closeHandles()
        unsafe closeIfOpen(cuv_handle_of_async(wakeUp))
        for _ in 0..<UVLoop.closingRounds where unsafe uv_loop_alive(raw) != 0 {
            unsafe uv_run(raw, UV_RUN_ONCE)
        }
        try unsafe LibUV.check(uv_loop_close(raw), "uv_loop_close")
        unsafe state.pointee.isClosed = true
        unsafe pool.pointee.close()
        return leftOpen
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

    private func closeIfOpen(_ handle: UnsafeMutablePointer<uv_handle_t>) {
        if unsafe uv_is_closing(handle) == 0 { unsafe uv_close(handle, nil) }
    }

    /// Closes a loop that was dropped without `close`: it has no handle but its own.
    func closeUnused() {
        unsafe closeIfOpen(cuv_handle_of_async(wakeUp))
        while unsafe uv_run(raw, UV_RUN_NOWAIT) != 0 {}
        unsafe uv_loop_close(raw)
    }
}
