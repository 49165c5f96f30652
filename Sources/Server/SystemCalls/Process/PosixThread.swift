internal import Glibc

/// A thread of the system (`pthread_create`), to be joined.
public struct PosixThread: ~Copyable, Sendable {
    private let thread: pthread_t

    /// Starts a thread that runs `body`.
    ///
    /// - Throws: `EAGAIN` where no thread can be had.
    public init(_ body: @escaping @Sendable () -> Void) throws(SystemCallError) {
        var thread = pthread_t()
        let body = unsafe Unmanaged.passRetained(Body(body)).toOpaque()
        let code = unsafe pthread_create(
            &thread, nil,
            { argument in
                // The reference that was passed in, taken over by the thread.
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

    /// Lets another thread have the processor (`sched_yield`).
    public static func yield() { _ = sched_yield() }

    /// Waits without using the processor, not much longer than `duration` (`nanosleep`).
    ///
    /// A signal ends the wait.
    public static func nap(_ duration: Duration) {
        let (seconds, attoseconds) = duration.components
        var time = timespec(tv_sec: Int(seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
        unsafe _ = nanosleep(&time, nil)
    }

    /// Waits for the thread to end (`pthread_join`).
    public consuming func join() {
        let thread = self.thread
        discard self
        _ = pthread_join(thread, nil)
    }

    /// Gives the thread up to the caller, who joins it by its number.
    consuming func release() -> pthread_t {
        let thread = self.thread
        discard self
        return thread
    }

    /// A thread that nobody joins frees itself when it ends (`pthread_detach`).
    deinit { _ = pthread_detach(thread) }

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }
}
