internal import SystemCalls

/// The results of a program, on standard output.
public enum StandardOutput {
    /// Writes text, and waits while the reader is slow.
    ///
    /// - Throws: `ProgramFailure` if the text could not be written completely, for example because the disk is full.
    public static func write(_ text: String) throws(ProgramFailure) {
        do throws(SystemCallError) { try Console.write(text) } catch { throw failure(error) }
    }

    /// Writes the line with which a server reports its address, without waiting for the reader.
    ///
    /// - Throws: `ProgramFailure` if the line could not be written at once.
    public static func announce(_ line: String) throws(ProgramFailure) {
        do throws(SystemCallError) { try Console.announce(line) } catch { throw failure(error) }
    }

    private static func failure(_ error: SystemCallError) -> ProgramFailure {
        let reason = error.code == Errno.wouldBlock ? "it is full, because its reader does not read" : error.message
        return ProgramFailure(message: "cannot write to standard output: \(reason)")
    }
}
