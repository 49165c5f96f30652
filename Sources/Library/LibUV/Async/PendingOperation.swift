internal import CLibUV

// @unchecked Sendable: used only on the loop's thread until the task has been woken, except by `cancelFromAnywhere`,
// which passes the cancellation to the loop's thread. A woken task may continue on another thread.
/// An operation on the loop for which a task waits.
///
/// The operation completes exactly once. The wait ends when the operation completes or the task is cancelled.
@safe
final class PendingOperation<Success>: @unchecked Sendable {
    private let loop: UVLoop
    private let name: String
    private let task = UnsafeMutablePointer<ParkedTask>.allocate(capacity: 1)
    private var result: Result<Success, UVError>?
    /// Ends the operation early.
    ///
    /// The operation's completion is still called, with `cancelled` or with an earlier result.
    private var cancellation: (() -> Void)?

    init(on loop: UVLoop, _ name: String) {
        self.loop = loop
        self.name = name
        unsafe task.initialize(to: ParkedTask())
    }

    deinit { unsafe task.deallocate() }

    /// Wakes the task.
    ///
    /// Only the first call has an effect.
    func complete(_ result: sending Result<Success, UVError>) {
        guard self.result == nil else { return }
        self.result = result
        cancellation = nil
        unsafe task.pointee.wake(on: loop)
    }

    /// Completes the operation with `cancelled`.
    func cancel() { complete(.failure(UVError(.cancelled, operation: name))) }

    /// Completes the operation with `timedOut`, and calls its `cancellation`.
    func expire() {
        let cancellation = self.cancellation
        complete(.failure(UVError(.timedOut, operation: name)))
        cancellation?()
    }

    /// Starts the operation, and waits for it.
    ///
    /// The closure refers to `isolation`, the caller's actor, so that the closure runs on that actor.
    fileprivate func value(
        isolation: isolated (any Actor)? = #isolation,
        _ start: (PendingOperation<Success>) throws(UVError) -> (() -> Void)?
    ) async throws(UVError) -> Success {
        await withTaskCancellationHandler {
            _ = isolation
            begin(start)
            // If the operation has completed immediately, there is nothing to wait for.
            if result == nil { _ = unsafe await loop.park(in: task) }
        } onCancel: {
            cancelFromAnywhere()
        }
        guard let result else { throw UVError(.cancelled, operation: name) }
        return try result.get()
    }

    private func begin(_ start: (PendingOperation<Success>) throws(UVError) -> (() -> Void)?) {
        if Task.isCancelled { return cancel() }
        do {
            let cancellation = try start(self)
            if result == nil { self.cancellation = cancellation ?? { [unowned self] in cancel() } }
        } catch { complete(.failure(error)) }
    }

    private func cancelFromAnywhere() {
        // If the loop rejects this call, the loop is closing, which completes all pending operations.
        try? loop.execute { self.cancellation?() }
    }
}

extension UVLoop {
    /// Suspends the task until the operation that `start` begins has completed, or until the task is cancelled.
    ///
    /// Call this function on the loop's thread. The call returns on that thread if `staysHere()` is `true`, and
    /// otherwise on the task's executor.
    ///
    /// - Parameters:
    ///   - name: the name of the operation, for the error if the task is cancelled.
    ///   - start: begins the operation, and ensures that `complete` is called on the loop's thread. It returns a
    ///     closure that cancels the operation. If it returns `nil`, cancelling the task ends only the wait.
    /// - Throws: the error that `start` throws, or the error with which the operation completes.
    nonisolated(nonsending) func waitFor<Success>(
        _ name: String, _ start: (PendingOperation<Success>) throws(UVError) -> (() -> Void)?
    ) async throws(UVError) -> Success {
        checkIsolated("an operation")
        return try await PendingOperation<Success>(on: self, name).value(start)
    }

    /// Suspends the task like `waitFor`, but at most until a deadline.
    ///
    /// Call this function only if `staysHere()` is `true`.
    ///
    /// - Parameter deadline: the instant at which the operation is cancelled, or `nil` for none.
    /// - Throws: `timedOut` at the deadline; otherwise the same errors as `waitFor`.
    nonisolated(nonsending) func waitFor<Success>(
        _ name: String, until deadline: UVClock.Instant?,
        _ start: (PendingOperation<Success>) throws(UVError) -> (() -> Void)?
    ) async throws(UVError) -> Success {
        guard let deadline else { return try await waitFor(name, start) }
        let timer = try UVTimer(on: self)
        defer { timer.close() }
        return try await waitFor(name) { (operation: PendingOperation<Success>) throws(UVError) in
            try timer.start(after: delay(until: deadline)) { _ in operation.expire() }
            return try start(operation)
        }
    }
}
