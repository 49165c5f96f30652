extension UVLoop {
    // @unchecked Sendable: the task that passes the value and the child task that receives it run on the same thread.
    private struct OnLoop<Value>: @unchecked Sendable {
        let value: Value
    }

    /// The result of a child task of `withTimeout`.
    private enum Ending<Outcome>: Sendable {
        case returned(OnLoop<Outcome>)
        case timeIsUp
        case sleepWasCancelled
    }

    /// Calls `body`, and cancels it if it takes longer than a limit.
    ///
    /// - Parameters:
    ///   - limit: the time limit.
    ///   - body: runs in a child task on the loop. The call always waits until `body` has ended, so `body` must respond
    ///     to cancellation. All functions of this library that suspend do so.
    /// - Returns: the value that `body` returns, even if it returns after the limit.
    /// - Throws: `UVError` with `timedOut` if `body` throws after the limit has passed; otherwise the error that `body`
    ///   throws.
    public nonisolated(nonsending) func withTimeout<Outcome>(
        _ limit: Duration, _ body: nonisolated(nonsending) @escaping () async throws -> Outcome
    ) async throws -> Outcome {
        checkIsolated()
        return try await outcome(of: OnLoop(value: body), within: limit).value
    }

    /// The closure refers to `isolation`, which is the actor of the caller, so that it runs on that actor.
    private func outcome<Outcome>(
        of body: OnLoop<nonisolated(nonsending) () async throws -> Outcome>, within limit: Duration,
        isolation: isolated (any Actor)? = #isolation
    ) async throws -> OnLoop<Outcome> {
        try await withThrowingTaskGroup(of: Ending<Outcome>.self) { group in
            _ = isolation
            group.addTask(executorPreference: self) { .returned(OnLoop(value: try await body.value())) }
            group.addTask(executorPreference: self) {
                do { try await self.sleep(for: limit) } catch { return .sleepWasCancelled }
                return .timeIsUp
            }
            return try await UVLoop.outcome(of: &group)
        }
    }

    /// Returns the value that the closure returned, after cancelling the other task.
    private nonisolated(nonsending) static func outcome<Outcome>(
        of group: inout ThrowingTaskGroup<Ending<Outcome>, any Error>
    ) async throws -> OnLoop<Outcome> {
        defer { group.cancelAll() }
        var isTimeUp = false
        do {
            while let ending = try await group.next() {
                switch ending {
                case .returned(let outcome): return outcome
                case .sleepWasCancelled: break
                case .timeIsUp:
                    isTimeUp = true
                    group.cancelAll()
                }
            }
        } catch {
            if !isTimeUp { throw error }
        }
        throw UVError(.timedOut, operation: "withTimeout")
    }
}
