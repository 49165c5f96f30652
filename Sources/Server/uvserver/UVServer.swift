import ArgumentParser
import LibUV
import SystemCalls

/// The program: serves the protocol, and talks to servers of it.
@main
struct UVServer: ParsableCommand {
    /// The program's version.
    static let version = "0.1.0"

    static let configuration = CommandConfiguration(
        commandName: "uvserver",
        abstract: "Serve a small stateful TCP protocol under several concurrency models, and compare them.",
        version: "\(version) (libuv \(UVVersion.running), built with \(UVVersion.compiled))",
        subcommands: [
            Serve.self, Models.self, Client.self, Health.self, Load.self, Compare.self, Report.self, Null.self,
            Bench.self,
        ])

    /// Runs the command line: every failure is one line on standard error, and an exit code.
    static func main() {
        do {
            try UVVersion.check()
            let arguments = try EnvironmentOptions.arguments(
                Array(CommandLine.arguments.dropFirst()), environment: UVEnvironment.all)
            var command = try parseAsRoot(arguments)
            try command.run()
        } catch {
            end(with: error)
        }
    }

    private static func end(with error: any Error) -> Never {
        if let failure = error as? ProgramFailure {
            Console.writeError("uvserver: \(failure.message)\n")
            exit(withError: ExitCode.failure)
        }
        if let failure = error as? UVError {
            Console.writeError("uvserver: \(failure.operation)\n")
            exit(withError: ExitCode.failure)
        }
        let code = exitCode(for: error)
        // Help and versions are no failures, and a bare exit code has been explained already.
        if code == .success || error is ExitCode { exit(withError: error) }
        let message = self.message(for: error).split(separator: "\n").joined(separator: " ")
        Console.writeError("uvserver: \(message) (see 'uvserver --help')\n")
        exit(withError: code == .validationFailure && isMeasuring ? ExitCode(2) : code)
    }

    /// Whether the command is one whose exit codes tell what was measured: misuse then has a code of its own.
    private static var isMeasuring: Bool {
        ["load", "compare"].contains(CommandLine.arguments.dropFirst().first)
    }
}

/// A failure to be told in one line: what went wrong, where, and what to do.
struct ProgramFailure: Error {
    let message: String
}
