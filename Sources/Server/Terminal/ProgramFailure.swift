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
    /// Writes one line about an error to standard error, and exits with the error's exit code.
    ///
    /// A request for help or the version is printed, and the exit code is 0. An `ExitCode` is not reported, because the
    /// code that throws it has already reported the failure.
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
