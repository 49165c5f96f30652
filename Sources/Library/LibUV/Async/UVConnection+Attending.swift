internal import CLibUV

extension UVConnection {
    /// Calls `body` in a scope whose cancellation handler ends any read for which this task is waiting.
    ///
    /// All reads that the same task makes in this scope share one handler. Without a scope, each read that waits
    /// installs its own handler, which costs more than handling a small message. `closing` opens such a scope.
    ///
    /// Scopes may be nested. Several tasks may be in scopes of one connection at the same time, and may leave them in
    /// any order.
    ///
    /// - Returns: the result of `body`.
    /// - Throws: the error of `body`.
    @inline(__always)
    package nonisolated(nonsending) func attendingToCancellation<Outcome>(
        _ body: nonisolated(nonsending) (UVConnection) async throws -> Outcome
    ) async rethrows -> Outcome {
        // On another executor, no scope is needed, because each call switches to the loop and handles cancellation
        // itself.
        guard loop.staysHere() else { return try await body(self) }
        let number = enterScope()
        defer { leaveScope(number) }
        return try await attending(body, number)
    }

    /// The closure refers to `isolation`, the caller's actor, so that the closure runs on that actor.
    @inline(__always)
    private func attending<Outcome>(
        _ body: nonisolated(nonsending) (UVConnection) async throws -> Outcome, _ number: UInt32,
        isolation: isolated (any Actor)? = #isolation
    ) async rethrows -> Outcome {
        try await withTaskCancellationHandler {
            _ = isolation
            return try await body(self)
        } onCancel: {
            // If the loop rejects this call, the loop is closing, which wakes all waiting tasks.
            try? loop.execute { self.cancelScope(number) }
        }
    }

    /// Begins a scope for the calling task, and returns the scope's number.
    func enterScope() -> UInt32 { unsafe state.pointee.scopes.enter(TaskIdentity.current) }

    func leaveScope(_ number: UInt32) { unsafe state.pointee.scopes.leave(number) }

    /// Ends the read that waits in a scope, and makes later reads in that scope fail.
    func cancelScope(_ number: UInt32) {
        if unsafe state.pointee.scopes.cancel(number) { unsafe reader.pointee.wake(on: loop, false) }
    }
}
