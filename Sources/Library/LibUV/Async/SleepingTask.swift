internal import CLibUV

// @unchecked Sendable: used only on the loop's thread, to which `execute` passes it.
/// A task that sleeps on another executor, and that a timer of the loop wakes.
@safe
final class SleepingTask: @unchecked Sendable {
    private let loop: UVLoop
    private let deadline: UVClock.Instant
    private var timer: UVTimer?
    private var continuation: UnsafeContinuation<Result<Void, UVError>, Never>?
    private var isCancelled = false

    init(on loop: UVLoop, until deadline: UVClock.Instant) {
        self.loop = loop
        self.deadline = deadline
    }

    func value(isolation: isolated (any Actor)? = #isolation) async throws(UVError) {
        let result = await withTaskCancellationHandler {
            _ = isolation
            return unsafe await withUnsafeContinuation { unsafe begin($0) }
        } onCancel: {
            // If the loop rejects this, it is closing, which closes the timer.
            try? loop.execute { self.cancel() }
        }
        try result.get()
    }

    private func begin(_ continuation: UnsafeContinuation<Result<Void, UVError>, Never>) {
        unsafe self.continuation = unsafe continuation
        do throws(UVError) { try loop.execute { self.start() } } catch {
            // The loop has rejected the closure, so no other thread runs it.
            wake(.failure(error))
        }
    }

    private func start() {
        if isCancelled { return wake(SleepingTask.cancelled) }
        do {
            let timer = try UVTimer(on: loop)
            self.timer = timer
            timer.whenClosed { self.wake(SleepingTask.cancelled) }
            try timer.start(after: loop.delay(until: deadline)) { _ in self.wake(.success(())) }
        } catch { wake(.failure(error)) }
    }

    private func cancel() {
        isCancelled = true
        if timer != nil { wake(SleepingTask.cancelled) }
    }

    private func wake(_ result: Result<Void, UVError>) {
        guard let continuation = unsafe continuation else { return }
        unsafe self.continuation = nil
        timer?.close()
        timer = nil
        unsafe continuation.resume(returning: result)
    }

    private static var cancelled: Result<Void, UVError> {
        .failure(UVError(.cancelled, operation: "sleep"))
    }
}
