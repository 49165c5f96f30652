import ArgumentParser
import LibUV
import SystemCalls
import Terminal

/// Reads options from environment variables.
///
/// For example, `UVSERVER_PORT=9191` means `--port 9191`. An option on the command line takes precedence.
enum EnvironmentOptions {
    /// The options of `serve` that an environment variable can set.
    static let served = [
        "model", "host", "port", "backlog", "max-connections", "max-buffered-bytes", "max-buffered-total",
        "idle-timeout", "write-timeout", "min-read-rate", "proxy-protocol", "drain-delay", "drain-timeout", "threads",
        "queue", "loops", "log-level", "log-format", "admin",
    ]

    /// Returns the name of the variable for an option, for example `UVSERVER_MAX_CONNECTIONS` for `max-connections`.
    static func variable(for option: String) -> String {
        "UVSERVER_" + option.uppercased().map { $0 == "-" ? "_" : String($0) }.joined()
    }

    /// Returns whether the command line or the environment sets an option.
    static func isGiven(_ option: String, _ environment: [String: String]) -> Bool {
        ProgramArguments.all.contains { $0 == "--\(option)" || $0.hasPrefix("--\(option)=") }
            || environment[variable(for: option)]?.isEmpty == false
    }

    /// Returns the command line, with the options from the environment inserted after the name of the command.
    ///
    /// A variable is ignored if its option is on the command line. All variables are ignored if the command line asks
    /// for help or for the version.
    ///
    /// - Throws: `ProgramFailure` if the value of a variable is invalid.
    static func arguments(_ given: [String], environment: [String: String]) throws -> [String] {
        guard given.first == "serve", !given.contains(where: { ["--help", "-h", "--version"].contains($0) }) else {
            return given
        }
        var added: [String] = []
        for option in served where !given.contains(where: { $0 == "--\(option)" || $0.hasPrefix("--\(option)=") }) {
            let name = variable(for: option)
            guard let value = environment[name], !value.isEmpty else { continue }
            do { _ = try Serve.parse(["--\(option)", value]) } catch {
                let reason = ErrorLine.joined(Serve.message(for: error), given: [value])
                throw ProgramFailure(
                    message: "the variable \(name)='\(value)' is invalid: \(reason); set another value, or unset it")
            }
            added += ["--\(option)", value]
        }
        return ["serve"] + added + given.dropFirst()
    }
}
