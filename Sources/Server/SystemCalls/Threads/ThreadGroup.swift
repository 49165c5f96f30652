internal import Glibc

/// A group of threads that can be joined all at once.
///
/// Each thread that ends joins the one that ended before it, so that at most one ended thread keeps its stack.
public final class ThreadGroup: Sendable {
    private struct State {
        var running = 0
        /// The last thread that has ended, not joined yet.
        var ended: pthread_t?
    }

    private let state = Monitor(State())

    /// Makes a group without threads.
    public init() {}

    /// The number of threads that are running.
    public var count: Int { state.withLock { $0.running } }

    /// Starts a thread that runs `body`.
    ///
    /// - Throws: `EAGAIN` if the system cannot make another thread.
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
    /// No thread may be started after this call.
    public func joinAll() {
        let last = state.wait { state -> pthread_t?? in state.running == 0 ? .some(state.ended.take()) : nil }
        if let last { _ = pthread_join(last, nil) }
    }

    /// Leaves the calling thread, which is about to end, for the next one to join.
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
