internal import CLibUV

// Calls from other executors. The async functions of the library may be called by any task. On the loop's thread, they
// only check the thread. Anywhere else, the task visits the loop: it switches to an actor whose executor is the loop,
// makes the call there, and switches back. It stays the same task, so cancellation, priority and task-local values need
// no special handling. Switching to the loop costs at most one write to the loop's descriptor, and switching back costs
// none.
//
// A task may also be on the loop's thread without staying there. Examples are a task that `Task.immediate` has started
// in a callback, and a task of the main actor while the main thread runs the loop. After such a task has waited, it
// continues on its own executor. Therefore a function that uses the loop's state after a wait checks the thread again,
// or checks `staysHere` before the wait.

/// The actor to which a task switches for a call on a loop.
actor LoopVisit: UVActor {
    nonisolated let loop: UVLoop

    init(on loop: UVLoop) { self.loop = loop }

    func perform<Outcome: ~Copyable & Sendable, Failure>(
        _ body: nonisolated(nonsending) @Sendable () async throws(Failure) -> Outcome
    ) async throws(Failure) -> Outcome {
        loop.visitorArrived()
        return try await body()
    }
}

extension UVLoop {
    /// Calls `body` on the loop, from a task on any executor.
    ///
    /// - Parameter operation: the name of the operation, for the error.
    /// - Throws: `cancelled` if the loop is closing or closed; otherwise the error of `body`.
    @inline(never)
    nonisolated(nonsending) func visit<Outcome: ~Copyable & Sendable>(
        _ operation: StaticString,
        _ body: nonisolated(nonsending) @Sendable () async throws(UVError) -> Outcome
    ) async throws(UVError) -> Outcome {
        guard announceVisitor() else { throw UVError(.cancelled, operation: "\(operation)") }
        return try await LoopVisit(on: self).perform(body)
    }

    /// Announces a task that is about to switch to the loop, so that the loop is not closed before the task has
    /// arrived.
    ///
    /// - Returns: `false` if the loop is closing or closed.
    private func announceVisitor() -> Bool {
        remote.withLock { remote in
            if !remote.isClosed { remote.visitorCount += 1 }
            return !remote.isClosed
        }
    }

    func visitorArrived() { remote.withLock { $0.visitorCount -= 1 } }

    /// Returns whether an executor is this loop.
    private func isExecutor(_ executor: UnownedSerialExecutor) -> Bool {
        // The first word of `executor` is the address of its object. This function only compares that address.
        unsafe withUnsafeBytes(of: executor) { bytes in
            unsafe bytes.loadUnaligned(as: UInt.self) == UInt(bitPattern: Unmanaged.passUnretained(self).toOpaque())
        }
    }

    /// Returns whether the calling task is on the loop's thread and continues there after each wait.
    func staysHere(isolation: isolated (any Actor)? = #isolation) -> Bool {
        guard isRunningHere else { return false }
        if let isolation { return unsafe isExecutor(isolation.unownedExecutor) }
        return unsafe withUnsafeCurrentTask { task in
            unsafe task?.unownedTaskExecutor == asUnownedTaskExecutor()
        }
    }
}
