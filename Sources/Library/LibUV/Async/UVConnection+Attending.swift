internal import CLibUV

extension UVConnection {
    /// Calls `body`, and attends to the cancellation of this task meanwhile: it resumes whoever waits on the
    /// connection.
    ///
    /// Outside of such a scope, or in another task than the one that entered it, each read and write that has to wait
    /// attends to cancellation itself, which costs more than a small message. `closing` contains such a scope, and so
    /// does all that contains `closing`.
    ///
    /// - Returns: what `body` returned.
    /// - Throws: what `body` threw.
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

    /// The isolation is the caller's, and so is the closure's that names it: another one would run elsewhere.
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
        // The scope may be over by now, or be another one's.
        guard unsafe state.pointee.attendance.number == number else { return }
        unsafe state.pointee.attendance.isCancelled = true
        unsafe reader.pointee.wake(on: loop, false)
    }
}
