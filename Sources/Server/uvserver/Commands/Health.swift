import ArgumentParser
import Clients
import LibUV
import SocketAddresses
import SystemCalls
import Terminal

/// `uvserver health`: whether a server serves.
struct Health: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Ask a server whether it serves: exit code 0 where it does, 1 where it does not.",
        discussion: """
            Connects, expects the greeting, sends a message of one byte, and expects its answer. Prints nothing where \
            all is well, and one line where it is not.
            """)

    @Option(help: "The longest that it may take, as 500ms or 2s.")
    var timeout = DurationArgument(.seconds(2))

    @Argument(
        help: """
            The server's address: HOST:PORT, the host an IP address or localhost. (default: that of UVSERVER_HOST \
            and UVSERVER_PORT, else 127.0.0.1:9090)
            """)
    var server: String?

    func validate() throws { _ = try address() }

    func run() throws {
        StopSignals.ignoreBrokenPipe()
        do { try HealthCheck(of: address(), timeout: timeout.duration).run() } catch let failure as HealthCheck.Failure
        {
            throw ProgramFailure(message: failure.description)
        }
    }

    private func address() throws -> SocketAddress {
        let server = try self.server ?? Health.serverOfEnvironment()
        let parts = server.split(separator: ":", omittingEmptySubsequences: false)
        if parts.count == 2, parts[0] == "localhost", let port = UInt16(parts[1]) { return .loopback(port: port) }
        do { return try SocketAddress(parsing: server) } catch {
            throw ValidationError("the server \(error); give HOST:PORT, as 127.0.0.1:9090 or [::1]:9090")
        }
    }

    /// Where the environment lets `serve` listen; on all addresses is on this machine's loopback too.
    private static func serverOfEnvironment() throws -> String {
        func value(_ option: String, _ usual: String) throws -> String {
            let value = try UVEnvironment.value(of: EnvironmentOptions.variable(for: option)) ?? ""
            return value.isEmpty ? usual : value
        }
        let loopbacks = ["0.0.0.0": "127.0.0.1", "::": "::1"]
        let host = try value("host", "127.0.0.1")
        let asked = loopbacks[host] ?? host
        return (asked.contains(":") ? "[\(asked)]" : asked) + ":" + (try value("port", "9090"))
    }
}
