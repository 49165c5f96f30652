internal import Glibc

/// A POSIX thread (`pthread_create`).
public struct PosixThread: ~Copyable, Sendable {
    private let thread: pthread_t

    /// Starts a thread that runs `body`.
    ///
    /// - Throws: `EAGAIN` if the system cannot make another thread.
    public init(_ body: @escaping @Sendable () -> Void) throws(SystemCallError) {
        var thread = pthread_t()
        let body = unsafe Unmanaged.passRetained(Body(body)).toOpaque()
        let code = unsafe pthread_create(
            &thread, nil,
            { argument in
                // The new thread takes ownership of the reference that its creator retained.
                guard let argument = unsafe argument else { return nil }
                unsafe Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run()
                return nil
            }, body)
        guard code == 0 else {
            unsafe Unmanaged<Body>.fromOpaque(body).release()
            throw SystemCallError(code: code, call: "pthread_create")
        }
        self.thread = thread
    }

    /// Yields the processor to another thread (`sched_yield`).
    public static func yield() { _ = sched_yield() }

    /// Suspends the calling thread for a duration, or until a signal arrives (`nanosleep`).
    public static func sleep(_ duration: Duration) {
        var time = timespec(duration)
        unsafe _ = nanosleep(&time, nil)
    }

    /// Waits for the thread to end (`pthread_join`).
    public consuming func join() {
        let thread = self.thread
        discard self
        _ = pthread_join(thread, nil)
    }

    /// Transfers ownership of the thread to the caller, which must join or detach it.
    consuming func release() -> pthread_t {
        let thread = self.thread
        discard self
        return thread
    }

    /// Detaches the thread if it has not been joined (`pthread_detach`).
    deinit { _ = pthread_detach(thread) }

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
}
