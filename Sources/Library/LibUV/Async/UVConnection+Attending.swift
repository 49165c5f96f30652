internal import CLibUV

extension UVConnection {
    /// Calls `body` in a scope with one cancellation handler, so that cancelling this task ends every wait on the
    /// connection.
    ///
    /// Reads and writes that the same task makes in this scope share the handler. Without a scope, each read or write
    /// that waits installs its own handler, which costs more than a small message. `closing` contains such a scope.
    ///
    /// - Returns: the result of `body`.
    /// - Throws: the error of `body`.
    public nonisolated(nonsending) func attendingToCancellation<Outcome>(
        _ body: nonisolated(nonsending) (UVConnection) async throws -> Outcome
    ) async rethrows -> Outcome {
        // Elsewhere, each call goes to the loop, and handles cancellation itself.
        guard loop.staysHere() else { return try await body(self) }
        let outer = unsafe state.pointee.attendance
        let number = unsafe state.pointee.nextAttendance
        unsafe state.pointee.nextAttendance &+= 1
        unsafe state.pointee.attendance = .init(task: TaskIdentity.current, number: number)
        defer { unsafe state.pointee.attendance = outer }
        return try await attending(body, number)
    }

    /// The closure refers to `isolation`, which is the actor of the caller, so that it runs on that actor.
    private func attending<Outcome>(
        _ body: nonisolated(nonsending) (UVConnection) async throws -> Outcome, _ number: Int,
        isolation: isolated (any Actor)? = #isolation
    ) async rethrows -> Outcome {
        try await withTaskCancellationHandler {
            _ = isolation
            return try await body(self)
        } onCancel: {
            // If the loop rejects this, it is closing, which wakes all waiting tasks.
            try? loop.execute { self.cancelAttendance(number) }
        }
    }

    private func cancelAttendance(_ number: Int) {
        // The scope may have ended, or another scope may have begun.
        guard unsafe state.pointee.attendance.number == number else { return }
        unsafe state.pointee.attendance.isCancelled = true
        unsafe reader.pointee.wake(on: loop, false)
    }
}
