import ArgumentParser
import LibUV
import Terminal

/// The options of a command that the environment gives: `UVSERVER_PORT=9191` is `--port 9191`.
///
/// An option on the command line wins over the environment.
enum EnvironmentOptions {
    /// The options of `serve`, every one of which the environment may give.
    static let served = [
        "model", "host", "port", "backlog", "max-connections", "max-buffered-bytes", "max-buffered-total",
        "idle-timeout", "write-timeout", "min-read-rate", "proxy-protocol", "drain-delay", "drain-timeout", "threads",
        "queue", "loops", "log-level", "log-format", "admin",
    ]

    /// The variable for an option, as `UVSERVER_MAX_CONNECTIONS` for `max-connections`.
    static func variable(for option: String) -> String {
        "UVSERVER_" + option.uppercased().map { $0 == "-" ? "_" : String($0) }.joined()
    }

    /// Whether this program was given an option, on the command line or in the environment.
    static func isGiven(_ option: String, _ environment: [String: String]) -> Bool {
        CommandLine.arguments.contains { $0 == "--\(option)" || $0.hasPrefix("--\(option)=") }
            || environment[variable(for: option)]?.isEmpty == false
    }

    /// The arguments of the program, with those from the environment behind the name of the command.
    ///
    /// A variable whose option is on the command line is not looked at, nor is any where help is asked for.
    ///
    /// - Throws: `ProgramFailure` where a variable's value is none for its option.
    static func arguments(_ given: [String], environment: [String: String]) throws -> [String] {
        guard given.first == "serve", !given.contains(where: { ["--help", "-h", "--version"].contains($0) }) else {
            return given
        }
        var added: [String] = []
        for option in served where !given.contains(where: { $0 == "--\(option)" || $0.hasPrefix("--\(option)=") }) {
            let name = variable(for: option)
            guard let value = environment[name], !value.isEmpty else { continue }
            do { _ = try Serve.parse(["--\(option)", value]) } catch {
                let reason = Serve.message(for: error).split(separator: "\n").joined(separator: " ")
                throw ProgramFailure(
                    message: "the environment's \(name) is '\(value)': \(reason); set another value, or none")
            }
            added += ["--\(option)", value]
        }
        return ["serve"] + added + given.dropFirst()
    }
}
