extension UVLoop {
    /// Starts a task on the loop.
    ///
    /// This function is the counterpart of `Task { }` for a loop. The task and its child tasks run on the loop's
    /// thread, as do all functions that they call, unless those functions belong to another actor. On the loop's
    /// thread, this library's functions cost least, because they need not switch threads. The task runs only while the
    /// loop runs. `run` without a closure does not wait for the task, unless an active handle or request belongs to the
    /// task. Callable from any thread.
    ///
    /// - Parameters:
    ///   - priority: the priority of the task. The loop ignores priorities and runs jobs in the order in which they are
    ///     enqueued.
    ///   - body: the work of the task.
    /// - Returns: the task, for example to cancel it, or to wait for its value. If the loop is closing or closed, the
    ///   task does not run `body`, and fails with `UVError` and the code `cancelled`.
    /// - Throws: nothing itself; the task's `value` throws the error that `body` throws.
    @discardableResult
    public func task<Success: Sendable>(
        priority: TaskPriority? = nil, _ body: sending @escaping () async throws -> Success
    ) -> Task<Success, any Error> {
        guard !remote.withLock({ $0.isClosed }) else {
            return Task { throw UVError(.cancelled, operation: "UVLoop.task") }
        }
        return Task(executorPreference: self, priority: priority, operation: body)
    }
}
