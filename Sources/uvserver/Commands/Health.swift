import ArgumentParser
import Clients
import LibUV
import SocketAddresses
import SystemCalls

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
            The server's address: HOST:PORT, the host an IP address or localhost. (default: 127.0.0.1, and the port of \
            UVSERVER_PORT or 9090)
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
        let port = try UVEnvironment.value(of: EnvironmentOptions.variable(for: "port")) ?? ""
        let server = self.server ?? "127.0.0.1:" + (port.isEmpty ? "9090" : port)
        let parts = server.split(separator: ":", omittingEmptySubsequences: false)
        if parts.count == 2, parts[0] == "localhost", let port = UInt16(parts[1]) { return .loopback(port: port) }
        do { return try SocketAddress(parsing: server) } catch {
            throw ValidationError("the server \(error); give HOST:PORT, as 127.0.0.1:9090 or [::1]:9090")
        }
    }
}
