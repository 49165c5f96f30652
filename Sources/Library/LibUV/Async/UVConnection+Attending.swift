internal import CLibUV

extension UVConnection {
    /// Calls `body` in a scope with one cancellation handler, which ends every read that this task waits for.
    ///
    /// All reads that the same task makes in this scope share the handler. Without a scope, each read that waits
    /// installs its own handler, which costs more than a small message. `closing` contains such a scope.
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
        // Elsewhere, each call goes to the loop, and handles cancellation itself.
        guard loop.staysHere() else { return try await body(self) }
        let number = enterScope()
        defer { leaveScope(number) }
        return try await attending(body, number)
    }

    /// The closure refers to `isolation`, which is the actor of the caller, so that it runs on that actor.
    @inline(__always)
    private func attending<Outcome>(
        _ body: nonisolated(nonsending) (UVConnection) async throws -> Outcome, _ number: UInt32,
        isolation: isolated (any Actor)? = #isolation
    ) async rethrows -> Outcome {
        try await withTaskCancellationHandler {
            _ = isolation
            return try await body(self)
        } onCancel: {
            // If the loop rejects this, it is closing, which wakes all waiting tasks.
            try? loop.execute { self.cancelScope(number) }
        }
    }

    /// Begins a scope of the calling task, and returns its number.
    func enterScope() -> UInt32 { unsafe state.pointee.scopes.enter(TaskIdentity.current) }

    func leaveScope(_ number: UInt32) { unsafe state.pointee.scopes.leave(number) }

    /// Ends the read that waits in a scope, and fails further reads in it.
    func cancelScope(_ number: UInt32) {
        if unsafe state.pointee.scopes.cancel(number) { unsafe reader.pointee.wake(on: loop, false) }
    }
}
