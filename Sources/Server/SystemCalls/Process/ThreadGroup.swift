internal import Glibc

/// Threads that come and go, each joined by the next one to end, the last by `joinAll`.
///
/// At no time does more than one ended thread keep its stack.
public final class ThreadGroup: Sendable {
    private struct State {
        var running = 0
        /// The thread that has ended last, not joined yet.
        var ended: pthread_t?
    }

    private let state = Monitor(State())

    /// Makes a group without threads.
    public init() {}

    /// How many threads have been started and have not ended.
    public var count: Int { state.withLock { $0.running } }

    /// Starts a thread that runs `body`.
    ///
    /// - Throws: `EAGAIN` where no thread can be had.
    public func start(_ body: @escaping @Sendable () -> Void) throws(SystemCallError) {
        state.withLock { $0.running += 1 }
        do throws(SystemCallError) {
            _ = try PosixThread { [self] in
                body()
                end()
            }.release()
        } catch {
            state.withLock { $0.running -= 1 }
            state.notifyAll()
            throw error
        }
    }

    /// Waits until every thread has ended (`pthread_join`).
    ///
    /// None may be started any more.
    public func joinAll() {
        let last = state.wait { state -> pthread_t?? in state.running == 0 ? .some(state.ended.take()) : nil }
        if let last { _ = pthread_join(last, nil) }
    }

    /// The calling thread is about to end: it is the next one's to join.
    private func end() {
        let before = state.withLock { state in
            defer { state.ended = pthread_self() }
            return state.ended
        }
        if let before { _ = pthread_join(before, nil) }
        state.withLock { $0.running -= 1 }
        state.notifyAll()
    }
}
