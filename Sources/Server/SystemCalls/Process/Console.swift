internal import Glibc

/// Writing to the process's standard output and standard error, without a buffer.
///
/// Writing a result to standard output waits for a slow reader. A stuck reader must not stop a server. Therefore two
/// kinds of functions do not wait: those that write a line to standard error, and those that write the line in which a
/// server reports its address.
public enum Console {
    private static let output = LineOutput(STDOUT_FILENO)
    private static let error = LineOutput(STDERR_FILENO)
    private static let notice = Monitor<@Sendable (Int) -> String>(plainNotice)

    /// The largest number of bytes in a line on standard error (`PIPE_BUF`).
    public static var lineLimit: Int { LineOutput.limit }

    /// The number of lines that were dropped because standard error or standard output did not accept them.
    public static var droppedLineCount: Int { output.droppedCount + error.droppedCount }

    /// Sets the format of the line that reports the number of dropped lines.
    public static func setDroppedLineNotice(_ format: @escaping @Sendable (Int) -> String) {
        notice.withLock { $0 = format }
    }

    /// Writes text to standard output, and waits while its reader is slow (`write`).
    ///
    /// - Throws: the error if a call fails, for example `EINTR` if a signal interrupts the wait.
    public static func write(_ text: String) throws(SystemCallError) {
        try FileDescriptor.writeInterruptibly(text, to: STDOUT_FILENO)
    }

    /// Writes a line to standard output if that is possible at once.
    ///
    /// - Throws: the error if the line cannot be written at once, for example `EAGAIN` if the reader is slow. If the
    ///   function throws, the line is counted as dropped.
    public static func announce(_ line: String) throws(SystemCallError) {
        try output.write(line) { _ in "" }
    }

    /// Writes a line to standard error if that is possible at once, and otherwise drops and counts it.
    ///
    /// A line of more than `lineLimit` bytes is cut. After lines have been dropped, a notice with their number precedes
    /// the next line that is written.
    ///
    /// - Parameter patience: how long to wait for a slow reader before the line is dropped.
    public static func writeError(_ line: String, patience: Duration = .zero) {
        try? error.write(line, patience: patience, notice: currentNotice)
    }

    /// Writes the progress of a program to standard error if that is possible at once.
    public static func writeProgress(_ text: String) { error.writeDisposable(text) }

    /// Writes the notice, if lines were dropped since the last notice.
    ///
    /// A program calls this function when it ends.
    public static func reportDroppedLines() { error.reportDropped(currentNotice) }

    private static func plainNotice(_ count: Int) -> String { "\(count) earlier lines were dropped\n" }

    private static var currentNotice: @Sendable (Int) -> String { notice.withLock { $0 } }

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
