internal import Glibc
internal import Synchronization

/// The signals that ask a program to stop.
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
                // It may not have been told the first time yet.
                stop()
                return stop()
            }
            announce()
            if let timer { timer.start() } else { stop() }
        }
    }

    /// A timer that sends SIGALRM once, and can be started in a signal handler (`timer_settime`).
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
            let (seconds, attoseconds) = delay.components
            var time = itimerspec()
            time.it_value = timespec(tv_sec: Int(clamping: seconds), tv_nsec: Int(attoseconds / 1_000_000_000))
            unsafe _ = timer_settime(timer_t(bitPattern: timer), 0, &time, nil)
        }
    }

    private static let action = AtomicLazyReference<Action>()

    /// Makes SIGINT and SIGTERM stop the program from here on, by closures that are called in a signal handler
    /// (`sigaction`): they must take no lock and allocate nothing.
    ///
    /// There is no thread that waits for signals, nor one that waits for the delay: in a process of more than one thread,
    /// each system call of libuv's costs some fifty instructions more. The first call counts.
    ///
    /// - Parameters:
    ///   - delay: the time from the first signal to the first call of `stop` (`timer_create`, SIGALRM).
    ///   - announce: called once, on the first signal.
    ///   - stop: called after the delay; and twice at once on each further signal, which is in a hurry.
    /// - Throws: where the system refuses a handler or a timer.
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
        // A parent that blocks the signals hands that on to its children.
        unsafe _ = pthread_sigmask(SIG_UNBLOCK, &mask, nil)
    }

    /// Ignores SIGPIPE in the whole process (`signal`): a write that nobody reads fails instead of ending it.
    public static func ignoreBrokenPipe() { _ = signal(SIGPIPE, SIG_IGN) }
}
