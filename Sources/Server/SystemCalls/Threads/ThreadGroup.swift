internal import Glibc

/// A group of threads that can be joined together.
///
/// Each thread, when it ends, joins the thread that ended before it. Therefore at most one ended thread keeps its
/// stack.
public final class ThreadGroup: Sendable {
    private struct State {
        var running = 0
        /// The thread that ended last, which has not been joined yet.
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
    /// Do not start a thread after this call.
    public func joinAll() {
        let last = state.wait { state -> pthread_t?? in state.running == 0 ? .some(state.ended.take()) : nil }
        if let last { _ = pthread_join(last, nil) }
    }

    /// Records that the calling thread is about to end, and joins the previously recorded thread.
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
