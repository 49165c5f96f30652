internal import CLibUV

extension UVLoop {
    // @unchecked Sendable: set by the task on the loop's thread, and read there once the task has ended.
    /// What a task came to.
    private final class TaskOutcome<Outcome>: @unchecked Sendable {
        var result: Result<Outcome, any Error>?
    }

    /// Runs `body` as a task on the loop, and the loop on the calling thread until that task has ended.
    ///
    /// The task prefers the loop as its executor: it, its child tasks, and all that they call without an actor of
    /// its own run on this thread. The loop runs on while the task waits for something that is not the loop's.
    /// `stop` cancels the task; the loop runs until it has ended.
    ///
    /// - Returns: what `body` returned.
    /// - Throws: what `body` threw; `UVError` with `busy` or `cancelled`, as `run` without a body. Two kinds of
    ///   error cannot be one typed throw.
    public func run<Outcome>(_ body: sending @escaping () async throws -> sending Outcome) throws -> sending Outcome {
        try beginRun()
        defer { endRun() }
        let outcome = TaskOutcome<Outcome>()
        let task = Task(executorPreference: self) {
            do { outcome.result = .success(try await body()) } catch { outcome.result = .failure(error) }
            unsafe uv_stop(self.raw)
        }
        unsafe uv_ref(cuv_handle_of_async(wakeUp))
        defer { unsafe uv_unref(cuv_handle_of_async(wakeUp)) }
        while true {
            look()
            unsafe uv_run(raw, UV_RUN_DEFAULT)
            if let result = outcome.result { return try result.get() }
            if unsafe state.pointee.stopRequested { task.cancel() }
            unsafe state.pointee.stopRequested = false
        }
    }

    /// Makes a loop, runs `body` on it as a task, and closes the loop on every way out.
    ///
    /// - Returns: what `body` returned.
    /// - Throws: what `body` threw, or `UVError` where the loop cannot be made or closed.
    public static func run<Outcome>(
        configuration: Configuration = Configuration(),
        _ body: sending @escaping (UVLoop) async throws -> sending Outcome
    ) throws -> sending Outcome {
        let loop = try UVLoop(configuration: configuration)
        let outcome: Outcome
        do { outcome = try loop.run { try await body(loop) } } catch {
            _ = try? loop.close()
            throw error
        }
        try loop.close()
        return outcome
    }
}
