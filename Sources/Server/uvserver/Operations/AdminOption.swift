import Administration
import ArgumentParser
import LibUV
import Logging
import Servers
import SocketAddresses
import SystemCalls
import Terminal

/// Implements the option `--admin`.
enum AdminOption {
    /// Parses the option's address, and checks that it differs from the address for clients.
    static func address(_ text: String, besides served: SocketAddress) throws -> SocketAddress {
        let address = try ServerAddress.parse(text, "--admin")
        guard address.port == 0 || address != served else {
            throw ValidationError("--admin \(address) is the address for clients; use another port")
        }
        return address
    }

    /// Starts an administration server, and logs its address.
    static func start(
        at address: SocketAddress, of server: any Server, _ model: String, connectionLimit: Int,
        in state: ServingState, logger: Logger
    ) throws -> AdminServer {
        let routes = AdminRoutes(
            isReady: { state.phase == .ready }, isAlive: { isAlive(server, in: state) },
            metrics: { metrics(of: server, model) })
        do throws(SystemCallError) {
            let server = try AdminServer(
                at: address, routes: routes, limits: AdminLimits(maxConnections: connectionLimit))
            logger.notice("administration at http://\(server.address)/")
            return server
        } catch {
            throw ProgramFailure(
                message: ListenAdvice.describe(
                    address, code: error.code, error.message, host: "--admin", port: "--admin"))
        }
    }

    /// Returns whether the server is alive.
    ///
    /// While the server is ready, each of its loops must have run an iteration in the last five seconds. This
    /// requirement does not apply during a drain, because a loop that has finished its drain runs no more iterations.
    private static func isAlive(_ server: any Server, in state: ServingState) -> Bool {
        switch state.phase {
        case .starting, .draining: true
        case .ready: server.metrics.isAlive(within: .seconds(5))
        case .stopped: false
        }
    }

    /// Returns the metrics of the server, the process and the build.
    private static func metrics(of server: any Server, _ model: String) -> [MetricFamily] {
        server.metrics.families + ProcessMetrics.current() + [
            MetricFamily(
                .counter, "uvserver_log_lines_dropped_total",
                help: "Lines that were dropped because standard error or standard output did not accept them.",
                Double(Console.droppedLineCount)),
            ProcessMetrics.buildInformation(
                version: PackageVersion.current, libuv: UVVersion.runningName, model: model),
        ]
    }
}
