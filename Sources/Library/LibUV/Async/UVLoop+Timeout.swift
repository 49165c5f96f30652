extension UVLoop {
    // @unchecked Sendable: the child task that it is passed to runs on the same thread as the one that passes it.
    private struct OnLoop<Value>: @unchecked Sendable {
        let value: Value
    }

    /// What a child task of `withTimeout` has come to.
    private enum Ending<Outcome>: Sendable {
        case returned(OnLoop<Outcome>)
        case timeIsUp
        case sleepWasCancelled
    }

    /// Calls `body`, and cancels it where it takes longer than a time.
    ///
    /// - Parameters:
    ///   - limit: how long it may take.
    ///   - body: runs on the loop, in a child task; it is waited for in any case, and must heed its cancellation, as
    ///     all that suspends in this library does.
    /// - Returns: what `body` returned, however late.
    /// - Throws: `UVError` with `timedOut` where the time was up and `body` has thrown; otherwise what `body` threw.
    public nonisolated(nonsending) func withTimeout<Outcome>(
        _ limit: Duration, _ body: nonisolated(nonsending) @escaping () async throws -> Outcome
    ) async throws -> Outcome {
        checkIsolated()
        return try await outcome(of: OnLoop(value: body), within: limit).value
    }

    /// The closure mentions `isolation`, the caller's actor, so that it runs on that actor.
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

    /// What the body returned; the other task is cancelled then.
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
