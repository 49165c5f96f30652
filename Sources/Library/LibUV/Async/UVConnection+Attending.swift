internal import CLibUV

extension UVConnection {
    /// Calls `body` within one cancellation handler: a cancellation of this task ends every wait on the connection.
    ///
    /// In this scope, and in the task that entered it, reads and writes that wait share the handler. Elsewhere each of them
    /// installs its own handler, which costs more than a small message. `closing` contains such a scope.
    ///
    /// - Returns: the result of `body`.
    /// - Throws: the error of `body`.
    public nonisolated(nonsending) func attendingToCancellation<Outcome>(
        _ body: nonisolated(nonsending) (UVConnection) async throws -> Outcome
    ) async rethrows -> Outcome {
        loop.checkIsolated()
        let outer = unsafe state.pointee.attendance
        let number = unsafe state.pointee.nextAttendance
        unsafe state.pointee.nextAttendance &+= 1
        unsafe state.pointee.attendance = .init(task: TaskIdentity.current, number: number)
        defer { unsafe state.pointee.attendance = outer }
        return try await attending(body, number)
    }

    /// The closure mentions `isolation`, the caller's actor, so that it runs on that actor.
    private func attending<Outcome>(
        _ body: nonisolated(nonsending) (UVConnection) async throws -> Outcome, _ number: Int,
        isolation: isolated (any Actor)? = #isolation
    ) async rethrows -> Outcome {
        try await withTaskCancellationHandler {
            _ = isolation
            return try await body(self)
        } onCancel: {
            // A loop that refuses this is closing, and wakes all who wait.
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
