extension UVLoop {
    /// Starts a task on the loop.
    ///
    /// It is what `Task { }` is elsewhere. The task and its child tasks run on the loop's thread, as do all functions
    /// that they call, unless these belong to another actor. There, the functions of this library cost least, since they
    /// need not switch threads. The task runs while the loop runs. `run` without a closure does not wait for it, unless
    /// an active handle or request belongs to it. Callable from any thread.
    ///
    /// - Parameters:
    ///   - priority: the priority of the task. The loop runs its jobs in the order in which they are enqueued.
    ///   - body: the work of the task.
    /// - Returns: the task, for example to cancel it, or to wait for its value. If the loop is closing or closed, the
    ///   task fails with `UVError` and `cancelled`, and does not run `body`.
    /// - Throws: nothing itself. The value of the task throws the error that `body` throws.
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
