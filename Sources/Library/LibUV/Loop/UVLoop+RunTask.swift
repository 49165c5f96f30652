internal import CLibUV

extension UVLoop {
    // @unchecked Sendable: the task sets the value on the loop's thread, where it is also read once the task has ended.
    /// The result of a task.
    private final class TaskOutcome<Outcome>: @unchecked Sendable {
        var result: Result<Outcome, any Error>?
    }

    /// Runs `body` as a task on the loop, and runs the loop on the calling thread until that task has ended.
    ///
    /// The task prefers the loop as its executor. The task and its child tasks run on this thread, as do all functions
    /// that they call, unless those functions belong to another actor. The loop keeps running even while the task waits
    /// for something outside of the loop.
    ///
    /// `stop` cancels the task, and the loop runs until the task has ended. If `body` has no return value and, after a
    /// stop, throws `CancellationError` or `UVError` with `cancelled`, this function returns normally. The loop can be
    /// run again afterwards.
    ///
    /// - Returns: the value that `body` returns.
    /// - Throws: the error that `body` throws, for example `cancelled` if a `body` that returns a value is stopped;
    ///   otherwise the same errors as `run`. The type of the error is not declared, because a function can declare only
    ///   one type.
    public func runTask<Outcome>(
        _ body: sending @escaping () async throws -> sending Outcome
    ) throws -> sending Outcome {
        try beginRun()
        defer { endRun() }
        let outcome = TaskOutcome<Outcome>()
        let task = Task(executorPreference: self) {
            do { outcome.result = .success(try await body()) } catch { outcome.result = .failure(error) }
            unsafe uv_stop(self.raw)
        }
        var wasStopped = false
        unsafe uv_ref(cuv_handle_of_async(wakeUp))
        defer { unsafe uv_unref(cuv_handle_of_async(wakeUp)) }
        while true {
            look()
            unsafe uv_run(raw, UV_RUN_DEFAULT)
            if unsafe state.pointee.stopRequested {
                wasStopped = true
                task.cancel()
            }
            unsafe state.pointee.stopRequested = false
            guard let result = outcome.result else { continue }
            if wasStopped, case .failure(let error) = result, UVLoop.isCancellation(error),
                let nothing = () as? Outcome
            {
                return nothing
            }
            return try result.get()
        }
    }

    static func isCancellation(_ error: any Error) -> Bool {
        error is CancellationError || (error as? UVError)?.code == .cancelled
    }

    /// Makes a loop, runs `body` on it as a task, and closes the loop when `body` returns or throws.
    ///
    /// `stop` has the same effect as in `runTask`.
    ///
    /// - Returns: the value that `body` returns.
    /// - Throws: the error that `body` throws, or `UVError` if the loop cannot be made or closed.
    public static func run<Outcome>(
        configuration: Configuration = Configuration(),
        _ body: sending @escaping (UVLoop) async throws -> sending Outcome
    ) throws -> sending Outcome {
        let loop = try UVLoop(configuration: configuration)
        let outcome: Outcome
        do { outcome = try loop.runTask { try await body(loop) } } catch {
            _ = try? loop.close()
            throw error
        }
        try loop.close()
        return outcome
    }
}
