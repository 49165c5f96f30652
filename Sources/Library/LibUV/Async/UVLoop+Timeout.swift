// @unchecked Sendable: the task that makes the work waits while the child task performs it.
/// A closure with a time limit, and its result.
private final class TimedWork<Outcome: ~Copyable>: @unchecked Sendable {
    private let body: nonisolated(nonsending) () async throws -> Outcome
    private var outcome: Outcome?

    init(_ body: nonisolated(nonsending) @escaping () async throws -> Outcome) { self.body = body }

    /// Calls the closure on the actor of the task that made the work.
    func perform(isolation: isolated (any Actor)?) async throws { outcome = try await body() }

    func takeOutcome() -> Outcome? { outcome.take() }
}

extension UVLoop {
    /// The result of a child task of `withTimeout`.
    private enum Ending: Sendable {
        case returned
        case timeIsUp
        case sleepWasCancelled
    }

    /// Calls `body`, and cancels it if it takes longer than a time limit.
    ///
    /// Callable on any executor. If the loop is closing or closed, there is no time limit.
    ///
    /// - Parameters:
    ///   - limit: the time limit.
    ///   - body: runs in a child task. If the caller belongs to an actor, `body` runs on that actor; otherwise, if the
    ///     caller is on the loop, `body` runs on the loop. The call always waits until `body` has ended, so `body` must
    ///     respond to cancellation. The suspending functions of this library do so, except those that close something.
    /// - Returns: the value that `body` returns, even if it returns after the time limit. It may be noncopyable.
    /// - Throws: `UVError` with `timedOut` if `body` throws after the time limit has passed; otherwise the error that
    ///   `body` throws.
    public nonisolated(nonsending) func withTimeout<Outcome: ~Copyable>(
        _ limit: Duration, _ body: nonisolated(nonsending) @escaping () async throws -> Outcome
    ) async throws -> Outcome {
        let work = TimedWork(body)
        try await perform(work, within: limit)
        guard let outcome = work.takeOutcome() else { throw UVError(.timedOut, operation: "withTimeout") }
        return outcome
    }

    /// The closure refers to `isolation`, the caller's actor, so that the closure runs on that actor.
    private func perform<Outcome: ~Copyable>(
        _ work: TimedWork<Outcome>, within limit: Duration, isolation: isolated (any Actor)? = #isolation
    ) async throws {
        let actor = isolation
        // A closed loop would not run the child tasks, so they prefer the loop only if it is running on this thread. If
        // the loop has closed, `sleep` fails, and there is no time limit.
        let executor: (any TaskExecutor)? = isRunningHere ? self : nil
        try await withThrowingTaskGroup(of: Ending.self) { group in
            _ = isolation
            group.addTask(executorPreference: executor) {
                try await work.perform(isolation: actor)
                return .returned
            }
            group.addTask(executorPreference: executor) {
                do { try await self.sleep(for: limit) } catch { return .sleepWasCancelled }
                return .timeIsUp
            }
            return try await UVLoop.awaitEnding(of: &group)
        }
    }

    /// Waits for the closure, and cancels the other task.
    private nonisolated(nonsending) static func awaitEnding(
        of group: inout ThrowingTaskGroup<Ending, any Error>
    ) async throws {
        defer { group.cancelAll() }
        var isTimeUp = false
        do {
            while let ending = try await group.next() {
                switch ending {
                case .returned: return
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
