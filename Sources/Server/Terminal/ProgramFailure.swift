public import ArgumentParser
internal import SystemCalls

/// A failure reported in one line: what failed, on what, why, and what to do.
public struct ProgramFailure: Error {
    /// The line, without the name of the program.
    public let message: String

    /// Makes a failure with its line.
    public init(message: String) { self.message = message }
}

extension ParsableArguments {
    /// Ends the program with the exit code of an error, after one line about it on standard error.
    ///
    /// Help and versions are printed and end with 0. An `ExitCode` is not reported: whatever throws it has reported it.
    ///
    /// - Parameter misuse: the exit code for an invalid command line.
    public static func end(_ program: String, with error: any Error, misuse: ExitCode) -> Never {
        if let failure = error as? ProgramFailure {
            Console.writeError("\(program): \(failure.message)\n")
            exit(withError: ExitCode.failure)
        }
        let code = exitCode(for: error)
        if code == .success || error is ExitCode { exit(withError: error) }
        let message = self.message(for: error).split(separator: "\n").joined(separator: " ")
        Console.writeError("\(program): \(message) (see '\(program) --help')\n")
        exit(withError: code == .validationFailure ? misuse : code)
    }
}
