internal import Glibc
internal import Synchronization

/// The signals that stop a program: SIGINT and SIGTERM.
public enum StopSignals {
    private final class Action: Sendable {
        let announce: @Sendable () -> Void
        let stop: @Sendable () -> Void
        let timer: DelayTimer?
        private let count = Atomic<Int>(0)

        init(announce: @escaping @Sendable () -> Void, stop: @escaping @Sendable () -> Void, timer: DelayTimer?) {
            self.announce = announce
            self.stop = stop
            self.timer = timer
        }

        func signalled() {
            guard count.add(1, ordering: .sequentiallyConsistent).newValue == 1 else {
                // The first call may not have taken place yet.
                stop()
                return stop()
            }
            announce()
            if let timer { timer.start() } else { stop() }
        }
    }

    /// A one-shot timer that sends SIGALRM and can be started in a signal handler (`timer_settime`).
    private struct DelayTimer: Sendable {
        private let timer: UInt
        private let delay: Duration

        init(_ delay: Duration) throws(SystemCallError) {
            var timer: timer_t?
            try system("timer_create") { unsafe timer_create(CLOCK_MONOTONIC, nil, &timer) }
            self.timer = UInt(bitPattern: timer)
            self.delay = delay
        }

        func start() {
            var time = itimerspec()
            time.it_value = timespec(delay)
            unsafe _ = timer_settime(timer_t(bitPattern: timer), 0, &time, nil)
        }
    }

    private static let action = AtomicLazyReference<Action>()

    /// Installs handlers that stop the program on SIGINT and SIGTERM (`sigaction`).
    ///
    /// The closures run in a signal handler: they must not take locks or allocate memory. No thread waits for signals or
    /// for the delay, since each of libuv's system calls costs about 50 instructions more in a process with a second
    /// thread. Only the first call has an effect.
    ///
    /// - Parameters:
    ///   - delay: the time from the first signal to the first call of `stop` (`timer_create`, SIGALRM).
    ///   - announce: called once, on the first signal.
    ///   - stop: called after the delay, and twice on each further signal, without delay.
    public static func handle(
        delay: Duration = .zero, announce: @escaping @Sendable () -> Void = {}, stop: @escaping @Sendable () -> Void
    ) throws(SystemCallError) {
        let timer = delay > .zero ? try DelayTimer(delay) : nil
        _ = action.storeIfNil(Action(announce: announce, stop: stop, timer: timer))
        var mask = sigset_t()
        unsafe sigemptyset(&mask)
        for number in [SIGINT, SIGTERM, SIGALRM] {
            var handler = sigaction()
            if number == SIGALRM {
                unsafe handler.__sigaction_handler.sa_handler = { _ in StopSignals.action.load()?.stop() }
            } else {
                unsafe handler.__sigaction_handler.sa_handler = { _ in StopSignals.action.load()?.signalled() }
            }
            handler.sa_flags = SA_RESTART
            try system("sigaction") { unsafe sigaction(number, &handler, nil) }
            unsafe sigaddset(&mask, number)
        }
        // A parent process may have blocked the signals.
        unsafe _ = pthread_sigmask(SIG_UNBLOCK, &mask, nil)
    }

    /// Ignores SIGPIPE (`signal`), so that a write to a closed pipe fails instead of terminating the process.
    public static func ignoreBrokenPipe() { _ = signal(SIGPIPE, SIG_IGN) }
}
