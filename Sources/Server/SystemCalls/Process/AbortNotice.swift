internal import Glibc

/// A line on standard error when a library aborts the process (SIGABRT).
///
/// libuv calls `abort` without a message, for example if `epoll_ctl` fails.
public enum AbortNotice {
    /// Installs the handler (`sigaction`).
    ///
    /// The process still ends with SIGABRT.
    public static func install() {
        var handler = sigaction()
        unsafe handler.__sigaction_handler.sa_handler = { _ in AbortNotice.write() }
        unsafe _ = sigaction(SIGABRT, &handler, nil)
    }

    /// Writes the line, unless standard error cannot take it immediately.
    private static func write() {
        let text: StaticString = """
            uvserver: a library has aborted the process (SIGABRT), for example libuv because epoll_ctl has failed; see \
            'When the system lacks resources' in docs/operating.md

            """
        var entry = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
        guard unsafe poll(&entry, 1, 0) == 1 else { return }
        unsafe _ = Glibc.write(STDERR_FILENO, text.utf8Start, text.utf8CodeUnitCount)
    }
}
