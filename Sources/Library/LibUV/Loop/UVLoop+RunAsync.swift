extension UVLoop {
    // @unchecked Sendable: the value is set before the task that reads it is resumed.
    /// A value that one thread passes to another.
    private final class Passed<Value>: @unchecked Sendable {
        var value: Value
        init(_ value: Value) { self.value = value }
    }

    /// Makes a loop, runs `body` on it as a task on a new thread, and closes the loop when `body` returns or throws.
    ///
    /// In async functions, which must not block their threads, the compiler chooses this form of `run`. In top-level
    /// code, the compiler chooses the blocking form even after `await`, so use `run(onThreadNamed:configuration:_:)`
    /// there.
    ///
    /// - Returns: the value that `body` returns.
    /// - Throws: the same errors as `run(onThreadNamed:configuration:_:)`.
    public static func run<Outcome>(
        configuration: Configuration = Configuration(),
        _ body: sending @escaping (UVLoop) async throws -> sending Outcome
    ) async throws -> sending Outcome {
        try await run(onThreadNamed: "uv", configuration: configuration, body)
    }

    /// Makes a loop, runs `body` on it as a task on a new thread, and closes the loop when `body` returns or throws.
    ///
    /// Use this function in code that must not block its thread, for example top-level code with `await`, or an async
    /// `main`. Cancelling the calling task has the same effect as `stop`.
    ///
    /// - Parameters:
    ///   - name: the name of the thread, of which Linux shows the first 15 bytes.
    ///   - configuration: the settings of the loop.
    ///   - body: the task on the loop.
    /// - Returns: the value that `body` returns.
    /// - Throws: the error that `body` throws; `UVError` if the thread or the loop cannot be made, or if the loop
    ///   cannot be closed.
    public static func run<Outcome>(
        onThreadNamed name: String, configuration: Configuration = Configuration(),
        _ body: sending @escaping (UVLoop) async throws -> sending Outcome
    ) async throws -> sending Outcome {
        let loop = try UVLoop(configuration: configuration)
        let passed = Passed(body)
        let outcome = Passed<Result<Outcome, any Error>?>(nil)
        await withTaskCancellationHandler {
            unsafe await withUnsafeContinuation { (continuation: UnsafeContinuation<Void, Never>) in
                do throws(UVError) {
                    try SystemThread.start(name) {
                        let body = passed.value
                        do {
                            let value = try loop.runTask { try await body(loop) }
                            try loop.close()
                            outcome.value = .success(value)
                        } catch {
                            _ = try? loop.close()
                            outcome.value = .failure(error)
                        }
                        unsafe continuation.resume()
                    }
                } catch {
                    outcome.value = .failure(error)
                    unsafe continuation.resume()
                }
            }
        } onCancel: {
            loop.stop()
        }
        guard let result = outcome.value else { throw UVError(.cancelled, operation: "uv_run") }
        return try result.get()
    }
}
