public import ArgumentParser
internal import SystemCalls

/// A failure that a program reports in one line.
///
/// The line says what failed, on what, why, and what the user can do about it.
public struct ProgramFailure: Error {
    /// The text of the line, without the name of the program.
    public let message: String

    /// Makes a failure with the text of the line to print.
    public init(message: String) { self.message = message }
}

extension ParsableCommand {
    /// Reports that the command line names no command, prints the help on standard error, and exits with the exit code
    /// for an invalid command line.
    public static func endWithoutCommand(_ program: String, misuse: ExitCode) -> Never {
        Console.writeError("\(program): a command is missing\n\n\(helpMessage())\n", patience: .seconds(1))
        exit(withError: misuse)
    }
}

extension ParsableArguments {
    /// Reports an error in one line on standard error, and exits with the error's exit code.
    ///
    /// If the error is a request for help or for the version, the function prints the requested text, and the exit code
    /// is 0 if the text could be written. The function does not report an `ExitCode`, because the code that throws an
    /// `ExitCode` has already reported the failure.
    ///
    /// - Parameters:
    ///   - misuse: the exit code for an invalid command line.
    ///   - given: texts from outside the command line, for example from the environment, that the message may quote.
    ///     They are escaped in the same way as the command-line arguments.
    public static func end(
        _ program: String, with error: any Error, misuse: ExitCode, given: [String] = []
    ) -> Never {
        if let failure = error as? ProgramFailure { end(program, with: failure) }
        let code = exitCode(for: error)
        if error is ExitCode {
            Console.reportDroppedLines()
            exit(withError: error)
        }
        if code == .success {
            do throws(ProgramFailure) { try StandardOutput.write(fullMessage(for: error) + "\n") } catch {
                end(program, with: error)
            }
            exit()
        }
        let message = ErrorLine.joined(message(for: error), given: ProgramArguments.all + given)
        ErrorLine.write(program, "\(message) (see '\(program) --help')")
        exit(withError: code == .validationFailure ? misuse : code)
    }

    private static func end(_ program: String, with failure: ProgramFailure) -> Never {
        ErrorLine.write(program, failure.message)
        exit(withError: ExitCode.failure)
    }
}
