internal import CLibUV

// @unchecked Sendable: used on the loop's thread only; `cancelFromAnywhere` alone may be called elsewhere, and only
// passes on to that thread.
/// What a task waits for: the completion of something on the loop, which comes exactly once, or its own cancellation.
@safe
final class PendingOperation<Success>: @unchecked Sendable {
    private let loop: UVLoop
    private let name: String
    private let task = UnsafeMutablePointer<ParkedTask>.allocate(capacity: 1)
    private var result: Result<Success, UVError>?
    /// Ends the operation early; its completion still comes, with `cancelled` or with what had happened before.
    private var cancellation: (() -> Void)?

    init(on loop: UVLoop, _ name: String) {
        self.loop = loop
        self.name = name
        unsafe task.initialize(to: ParkedTask())
    }

    deinit { unsafe task.deallocate() }

    /// Wakes the task, once: later calls do nothing.
    func complete(_ result: sending Result<Success, UVError>) {
        guard self.result == nil else { return }
        self.result = result
        cancellation = nil
        unsafe task.pointee.wake(on: loop)
    }

    /// Completes with `cancelled`.
    func cancel() { complete(.failure(UVError(.cancelled, operation: name))) }

    /// Begins, and waits.
    ///
    /// The closure mentions `isolation`, the caller's actor, so that it runs on that actor.
    fileprivate func value(
        isolation: isolated (any Actor)? = #isolation,
        _ start: (PendingOperation<Success>) throws(UVError) -> (() -> Void)?
    ) async throws(UVError) -> Success {
        await withTaskCancellationHandler {
            _ = isolation
            begin(start)
            // What has completed at once has nothing to wait for.
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
        // A loop that refuses this is closing, which completes all that is under way.
        try? loop.execute { self.cancellation?() }
    }
}

extension UVLoop {
    /// Suspends the task until what `start` has begun completes, or the task is cancelled.
    ///
    /// - Parameters:
    ///   - name: the operation, for the error of a task that is cancelled.
    ///   - start: begins; arranges for `complete` to be called on the loop's thread; returns what cancels, or `nil`
    ///     where cancelling leaves what was begun to itself and only ends the waiting.
    /// - Throws: what `start` threw, or what it completed with.
    nonisolated(nonsending) func waitFor<Success>(
        _ name: String, _ start: (PendingOperation<Success>) throws(UVError) -> (() -> Void)?
    ) async throws(UVError) -> Success {
        checkIsolated()
        return try await PendingOperation<Success>(on: self, name).value(start)
    }
}
