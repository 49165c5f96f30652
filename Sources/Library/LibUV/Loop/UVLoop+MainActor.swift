internal import CLibUV

// The main actor runs its jobs on the main queue of libdispatch, which needs a run loop on the main thread. While the
// main thread runs a `UVLoop`, this loop acts as that run loop. It watches the queue's descriptor with a poll handle,
// and runs the jobs when the descriptor becomes readable. The poll handle does not keep the loop running. While no jobs
// are enqueued, the handle costs nothing.
//
// A job of the main actor must not run a loop, because the queue cannot run anything else until the job has ended.
// Top-level code that uses `await`, and an async `main`, run in such a job.

/// What the main thread is doing.
private enum MainThread {
    // Only the main thread uses these variables.
    /// The number of loops that the main thread is running, one inside the other.
    nonisolated(unsafe) static var runningLoops = 0
    /// Whether the innermost loop is running jobs of the main actor.
    nonisolated(unsafe) static var isServing = false
}

extension UVLoop {
    /// Whether the calling thread may run a loop without blocking a job of the main actor.
    static var mayBlock: Bool {
        // Code without a task is not a job of the main actor.
        guard unsafe withUnsafeCurrentTask(body: { unsafe $0 != nil }), cuv_is_on_main_queue() != 0 else { return true }
        // A task of a loop may run another loop, which then serves the main actor.
        return unsafe cuv_is_main_thread() != 0 && MainThread.runningLoops > 0 && !MainThread.isServing
    }

    static var blocksMainActor: UVError {
        UVError(
            .notSupported, operation: "uv_run",
            detail: "it would block the main actor; use `try await UVLoop.run(onThreadNamed:)`")
    }

    /// Starts serving the main actor if the calling thread is the main thread, and stops serving it otherwise.
    func noteThread() {
        let thread = cuv_this_thread()
        guard unsafe state.pointee.notedThread != thread else { return }
        let isOnMainThread = cuv_is_main_thread() != 0
        if isOnMainThread { serveMainActor() } else { stopServingMainActor() }
        unsafe state.pointee.notedThread = thread
        unsafe state.pointee.isOnMainThread = isOnMainThread
    }

    /// Records that the main thread has started or finished running this loop.
    func countRun(_ change: Int) {
        if unsafe state.pointee.isOnMainThread { unsafe MainThread.runningLoops += change }
    }

    private func serveMainActor() {
        if unsafe state.pointee.mainQueue == nil {
            let descriptor = cuv_main_queue_descriptor()
            if descriptor < 0 { return }
            let poll = UnsafeMutablePointer<uv_poll_t>.allocate(capacity: 1)
            unsafe poll.initialize(to: uv_poll_t())
            guard unsafe uv_poll_init(raw, poll, descriptor) >= 0 else { return unsafe poll.deallocate() }
            // Like all internal handles of the loop, this handle has no object.
            unsafe poll.pointee.data = nil
            unsafe state.pointee.mainQueue = poll
            unsafe state.pointee.mainQueueDescriptor = descriptor
            // Jobs may have been enqueued before the queue had a descriptor, so make the descriptor readable.
            cuv_main_queue_poke(descriptor)
        }
        guard let poll = unsafe state.pointee.mainQueue else { return }
        unsafe uv_poll_start(poll, Int32(UV_READABLE.rawValue)) { poll, _, _ in
            guard let loop = unsafe poll?.pointee.loop else { return }
            // The `data` of a loop is its object, which is alive while the loop runs.
            unsafe Unmanaged<UVLoop>.fromOpaque(loop.pointee.data)._withUnsafeGuaranteedRef { $0.runMainActor() }
        }
        unsafe uv_unref(cuv_handle_of_poll(poll))
    }

    /// Stops serving the main actor until the main thread runs the loop again.
    func stopServingMainActor() {
        unsafe state.pointee.notedThread = 0
        unsafe state.pointee.isOnMainThread = false
        if let poll = unsafe state.pointee.mainQueue { unsafe uv_poll_stop(poll) }
    }

    private func runMainActor() {
        unsafe MainThread.isServing = true
        unsafe cuv_main_queue_run(state.pointee.mainQueueDescriptor)
        unsafe MainThread.isServing = false
    }

    /// Closes the handle that watches the main queue.
    ///
    /// After that, the caller must run the loop until the handle has closed.
    func closeMainQueue() {
        guard let poll = unsafe state.pointee.mainQueue else { return }
        if unsafe uv_is_closing(cuv_handle_of_poll(poll)) == 0 { unsafe uv_close(cuv_handle_of_poll(poll), nil) }
    }
}
