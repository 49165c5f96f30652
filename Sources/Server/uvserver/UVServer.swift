import ArgumentParser
import LibUV
import SystemCalls
import Terminal

/// The program `uvserver`, which runs a server, simulated clients and health checks.
@main
struct UVServer: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "uvserver",
        abstract: "Serve a small stateful TCP protocol under several concurrency models.",
        version: "\(PackageVersion.current) (libuv \(UVVersion.running), built with \(UVVersion.compiled))",
        subcommands: [Serve.self, Client.self, Health.self, Models.self])

    /// Runs the command that the command line names.
    ///
    /// If the command fails, one line on standard error says why, and the failure determines the exit code.
    static func main() {
        do {
            try StandardDescriptors.open()
            try UVVersion.check()
            let arguments = try EnvironmentOptions.arguments(
                ProgramArguments.afterName, environment: UVEnvironment.all)
            var command = try parseAsRoot(arguments)
            if command is UVServer { endWithoutCommand("uvserver", misuse: .validationFailure) }
            try command.run()
            Console.reportDroppedLines()
        } catch let error as UVError {
            end("uvserver", with: ProgramFailure(message: error.operation), misuse: .validationFailure)
        } catch {
            let variables = (try? UVEnvironment.all) ?? [:]
            let given = variables.filter { $0.key.hasPrefix("UVSERVER_") }.map(\.value)
            end("uvserver", with: error, misuse: .validationFailure, given: given)
        }
    }
}
