internal import Glibc

/// Unbuffered writing to the process's standard output and standard error.
public enum Console {
    /// Writes text to standard output (`write`).
    ///
    /// The text is dropped if the write fails, for example because the reader has closed the pipe.
    public static func write(_ text: String) { try? FileDescriptor.write(text, to: STDOUT_FILENO) }

    /// Writes text to standard error (`write`).
    public static func writeError(_ text: String) { try? FileDescriptor.write(text, to: STDERR_FILENO) }

    /// Whether standard output is a terminal (`isatty`).
    public static var isTerminal: Bool { isatty(STDOUT_FILENO) == 1 }

    /// Whether standard error is a terminal (`isatty`).
    public static var errorIsTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// The width of the terminal in columns (`TIOCGWINSZ`), or `nil` if standard output is not a terminal.
    public static var columns: Int? {
        var size = winsize()
        guard unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }
}
