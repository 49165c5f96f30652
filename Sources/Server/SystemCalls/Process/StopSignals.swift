internal import Glibc
internal import Synchronization

/// The signals that stop a program: SIGINT, SIGTERM and SIGHUP.
public enum StopSignals {
    private final class Action: Sendable {
        let delay: Duration
        let announce: @Sendable () -> Void
        let stop: @Sendable () -> Void
        private let count = Atomic<Int>(0)

        init(_ delay: Duration, announce: @escaping @Sendable () -> Void, stop: @escaping @Sendable () -> Void) {
            self.delay = delay
            self.announce = announce
            self.stop = stop
        }

        func received(_ signal: Int32) {
            let hasBegun = count.load(ordering: .sequentiallyConsistent) > 0
            // SIGALRM means that the delay has passed.
            if signal == SIGALRM { return hasBegun ? stop() : () }
            // A terminal that closes may cause several SIGHUP signals, from the kernel and from the shell, so a SIGHUP
            // after the first signal is ignored.
            if signal == SIGHUP, hasBegun { return }
            guard count.add(1, ordering: .sequentiallyConsistent).newValue == 1 else {
                // A second call to `stop` forces the program to stop. If the delay after the first signal has not
                // passed yet, `stop` has not been called at all. Therefore this handler calls `stop` twice.
                stop()
                return stop()
            }
            announce()
            if delay <= .zero { return stop() }
            var time = itimerval()
            time.it_value = timeval(max(delay, .milliseconds(1)))
            unsafe _ = setitimer(__itimer_which_t(ITIMER_REAL.rawValue), &time, nil)
        }
    }

    private static let action = AtomicLazyReference<Action>()

    /// Installs handlers that stop the program on SIGINT, SIGTERM and SIGHUP (`sigaction`).
    ///
    /// A SIGHUP after the first signal has no effect. If the program has been started with SIGHUP ignored, for example
    /// with `nohup`, SIGHUP stays ignored.
    ///
    /// The closures run in a signal handler, so they must not take locks or allocate memory. No additional thread waits
    /// for the signals or for the delay, because a second thread would add about 50 instructions to each of libuv's
    /// system calls. Only the first call of this function sets the closures.
    ///
    /// - Parameters:
    ///   - delay: the delay between the first signal and the first call to `stop` (`setitimer`, SIGALRM).
    ///   - announce: called once, when the first signal arrives.
    ///   - stop: called once after the delay. Each later SIGINT or SIGTERM calls `stop` twice without a delay. The
    ///     second call must force the program to stop.
    public static func handle(
        delay: Duration = .zero, announce: @escaping @Sendable () -> Void = {}, stop: @escaping @Sendable () -> Void
    ) throws(SystemCallError) {
        _ = action.storeIfNil(Action(delay, announce: announce, stop: stop))
        var mask = sigset_t()
        unsafe sigemptyset(&mask)
        for number in [SIGINT, SIGTERM, SIGALRM, SIGHUP] where number != SIGHUP || !isIgnored(SIGHUP) {
            var handler = sigaction()
            unsafe handler.__sigaction_handler.sa_handler = { StopSignals.action.load()?.received($0) }
            // Without SA_RESTART, a signal also interrupts a write that waits for the reader of a pipe.
            handler.sa_flags = 0
            try system("sigaction") { unsafe sigaction(number, &handler, nil) }
            unsafe sigaddset(&mask, number)
        }
        // A parent process may have blocked these signals, and a child process inherits the signal mask.
        unsafe _ = pthread_sigmask(SIG_UNBLOCK, &mask, nil)
    }

    /// Whether the process ignores a signal (`sigaction`).
    private static func isIgnored(_ number: Int32) -> Bool {
        var current = sigaction()
        guard unsafe sigaction(number, nil, &current) == 0 else { return false }
        return unsafe unsafeBitCast(current.__sigaction_handler.sa_handler, to: Int.self)
            == unsafeBitCast(SIG_IGN, to: Int.self)
    }

    /// Ignores SIGPIPE (`signal`), so that a write to a closed pipe fails instead of terminating the process.
    public static func ignoreBrokenPipe() { _ = signal(SIGPIPE, SIG_IGN) }

    /// Ignores SIGUSR1, SIGUSR2 and SIGXFSZ (`signal`), which by default terminate a process, but have no meaning for a
    /// server.
    ///
    /// While SIGXFSZ is ignored, a write beyond the limit on file sizes fails instead of terminating the process.
    public static func ignoreOthers() { for number in [SIGUSR1, SIGUSR2, SIGXFSZ] { _ = signal(number, SIG_IGN) } }
}
