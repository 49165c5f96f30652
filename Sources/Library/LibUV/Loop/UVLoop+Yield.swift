internal import CLibUV

// Lets a task that does not need to wait give the loop an opportunity to perform I/O.
//
// `Task.yield` is not sufficient, because the loop runs up to 256 jobs between two passes of I/O, and these may include
// the next job of the task that has yielded.

extension UVLoop {
    /// Whether jobs are queued on the loop's own thread, or tasks have yielded.
    var hasOwnJobs: Bool { unsafe !state.pointee.jobs.isEmpty || !state.pointee.yieldedTasks.isEmpty }

    /// Suspends the task until the loop has polled for I/O once more.
    ///
    /// A task that calls this function repeatedly continues once in each iteration, so timers run in between.
    nonisolated(nonsending) func yieldToIO() async {
        let place = UnsafeMutablePointer<ParkedTask>.allocate(capacity: 1)
        unsafe place.initialize(to: ParkedTask())
        unsafe state.pointee.yieldedTasks.append(place)
        unsafe cuv_jobs_begin(cell, Trampolines.onJobs)
        _ = unsafe await park(in: place)
        unsafe place.deallocate()
    }

    /// Enqueues the tasks that have yielded, behind the jobs that are already queued.
    func resumeYieldedTasks() {
        if unsafe state.pointee.yieldedTasks.isEmpty { return }
        let places = unsafe state.pointee.yieldedTasks
        unsafe state.pointee.yieldedTasks = []
        for index in unsafe places.indices { unsafe places[index].pointee.wake(on: self) }
    }
}
