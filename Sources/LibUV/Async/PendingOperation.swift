internal import CLibUV

// @unchecked Sendable: used on the loop's thread only; `cancelFromAnywhere` alone may be called elsewhere, and only
// passes on to that thread.
/// What a task waits for: the completion of something on the loop, which comes exactly once, or its own cancellation.
@safe
final class PendingOperation<Success>: @unchecked Sendable {
    private let loop: UVLoop
    private var continuation: UnsafeContinuation<Result<Success, UVError>, Never>?
    /// Ends the operation early; its completion still comes, with `cancelled` or with what had happened before.
    private var cancellation: (() -> Void)?

    init(on loop: UVLoop) { self.loop = loop }

    /// Resumes the task, once: later calls do nothing.
    func complete(_ result: sending Result<Success, UVError>) {
        guard let continuation = unsafe continuation else { return }
        unsafe self.continuation = nil
        cancellation = nil
        unsafe continuation.resume(returning: result)
    }

    fileprivate func begin(
        _ continuation: UnsafeContinuation<Result<Success, UVError>, Never>, _ name: String,
        _ start: (PendingOperation<Success>) throws(UVError) -> (() -> Void)?
    ) {
        unsafe self.continuation = unsafe continuation
        if Task.isCancelled { return complete(.failure(UVError(.cancelled, operation: name))) }
        do {
            let cancellation = try start(self)
            // One that has completed at once has nothing left to cancel.
            guard unsafe self.continuation != nil else { return }
            self.cancellation =
                cancellation ?? { [unowned self] in
                    self.complete(.failure(UVError(.cancelled, operation: name)))
                }
        } catch { complete(.failure(error)) }
    }

    fileprivate func cancelFromAnywhere() {
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
        let operation = PendingOperation<Success>(on: self)
        let result = await withTaskCancellationHandler {
            unsafe await withUnsafeContinuation { unsafe operation.begin($0, name, start) }
        } onCancel: {
            operation.cancelFromAnywhere()
        }
        return try result.get()
    }
}
