import ArgumentParser
import Clients
import LibUV
import SocketAddresses
import SystemCalls
import Terminal

/// `uvserver health`: checks that a server replies.
struct Health: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Check that a server replies. The exit code is 0 if it does, and 1 if it does not.",
        discussion: """
            Connects, waits for the greeting, sends a message of one byte and checks the reply. Prints one line if the \
            check fails, and prints nothing if it succeeds.
            """)

    @Option(help: "Timeout for the whole check, for example 500ms or 2s.")
    var timeout = DurationArgument(.seconds(2))

    @Argument(
        help: """
            The server's address as HOST:PORT, where HOST is an IP address or localhost. (default: the values of \
            UVSERVER_HOST and UVSERVER_PORT, or 127.0.0.1:9090)
            """)
    var server: String?

    func validate() throws { _ = try address() }

    func run() throws {
        StopSignals.ignoreBrokenPipe()
        if let failure = try HealthCheck.failure(of: address(), timeout: timeout.duration) {
            throw ProgramFailure(message: failure)
        }
    }

    private func address() throws -> SocketAddress {
        try ServerAddress.parse(server ?? Health.serverOfEnvironment(), "the server")
    }

    /// Returns the address that `serve` would listen on, according to the environment.
    ///
    /// A wildcard address is replaced with the loopback address.
    private static func serverOfEnvironment() throws -> String {
        func value(_ option: String, _ fallback: String) throws -> String {
            let value = try UVEnvironment.value(of: EnvironmentOptions.variable(for: option)) ?? ""
            return value.isEmpty ? fallback : value
        }
        let loopbacks = ["0.0.0.0": "127.0.0.1", "::": "::1"]
        let host = try value("host", "127.0.0.1")
        let target = loopbacks[host] ?? host
        return (target.contains(":") ? "[\(target)]" : target) + ":" + (try value("port", "9090"))
    }
}
