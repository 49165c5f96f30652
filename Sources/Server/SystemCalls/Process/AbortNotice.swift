internal import Glibc
internal import Synchronization

/// A line that explains why the process ends with SIGABRT, for example because a library has called `abort`.
public enum AbortNotice {
    private final class Notice: Sendable {
        let text: StaticString

        init(_ text: StaticString) { self.text = text }

        /// Writes the line to standard error, unless standard error is a pipe that is full.
        func write() {
            var output = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
            guard unsafe poll(&output, 1, 0) == 1 else { return }
            _ = unsafe Glibc.write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
        }
    }

    private static let notice = AtomicLazyReference<Notice>()

    /// Writes a line to standard error when the process receives SIGABRT (`sigaction`).
    ///
    /// After writing the line, the signal handler ends the process with SIGABRT. It replaces the handler of Swift's
    /// runtime, which prints a backtrace and returns. With the runtime's handler, the process would survive a SIGABRT
    /// that another process sends. Only the first call of this function sets the line.
    ///
    /// - Parameter text: the line with its line feed, at most 4096 bytes (`PIPE_BUF`).
    public static func install(_ text: StaticString) throws(SystemCallError) {
        _ = notice.storeIfNil(Notice(text))
        var handler = sigaction()
        unsafe handler.__sigaction_handler.sa_handler = { number in
            AbortNotice.notice.load()?.write()
            _ = signal(number, SIG_DFL)
            _ = raise(number)
        }
        try system("sigaction") { unsafe sigaction(SIGABRT, &handler, nil) }
        // A parent process may have blocked the signal.
        var mask = sigset_t()
        unsafe sigemptyset(&mask)
        unsafe sigaddset(&mask, SIGABRT)
        unsafe _ = pthread_sigmask(SIG_UNBLOCK, &mask, nil)
    }
}
