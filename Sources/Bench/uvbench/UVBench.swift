import ArgumentParser
import SystemCalls
import Terminal

/// The program `uvbench`: sends load to servers of the protocol, compares them, and reports the results.
@main
struct UVBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "uvbench",
        abstract: "Send load to servers of a small stateful TCP protocol, compare them, and report the results.",
        version: PackageVersion.current,
        subcommands: [
            Compare.self, Load.self, JudgeCommand.self, Report.self, Floor.self, MachineCommand.self,
        ])

    /// The exit code for an invalid command line.
    ///
    /// The code is not 1 or 3, because these codes describe the result of a measurement.
    private static let misuse = ExitCode(2)

    /// Runs the command that the command line names.
    ///
    /// A failure prints one line on standard error and sets the exit code.
    static func main() {
        do {
            try StandardDescriptors.open()
            var command = try parseAsRoot(ProgramArguments.afterName)
            if command is UVBench { endWithoutCommand("uvbench", misuse: misuse) }
            try command.run()
            Console.reportDroppedLines()
        } catch { end("uvbench", with: error, misuse: misuse) }
    }
}
