internal import Glibc
internal import Synchronization

/// The signals that ask a program to stop.
public enum StopSignals {
    private final class Action: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    private static let action = AtomicLazyReference<Action>()

    /// Calls `body` on each SIGINT and SIGTERM from here on, in a signal handler (`sigaction`).
    ///
    /// There is no thread that waits for signals: in a process of more than one thread, each system call that may
    /// block costs some fifty instructions more.
    ///
    /// - Parameter body: must do only what a signal handler may: take no lock and allocate nothing. The first one
    ///   that is given counts.
    public static func handle(_ body: @escaping @Sendable () -> Void) throws(SystemCallError) {
        _ = action.storeIfNil(Action(body))
        var handler = sigaction()
        unsafe handler.__sigaction_handler.sa_handler = { _ in StopSignals.action.load()?.body() }
        handler.sa_flags = SA_RESTART
        var mask = sigset_t()
        unsafe sigemptyset(&mask)
        for number in [SIGINT, SIGTERM] {
            try system("sigaction") { unsafe sigaction(number, &handler, nil) }
            unsafe sigaddset(&mask, number)
        }
        // A parent that blocks the signals hands that on to its children.
        unsafe _ = pthread_sigmask(SIG_UNBLOCK, &mask, nil)
    }

    /// Ignores SIGPIPE in the whole process (`signal`): a write that nobody reads fails instead of ending it.
    public static func ignoreBrokenPipe() { _ = signal(SIGPIPE, SIG_IGN) }
}
