import Administration
import ArgumentParser
import LibUV
import Logging
import Servers
import SocketAddresses
import SystemCalls
import Terminal

/// What `--admin` means: where it listens, what it answers, and what to do where it cannot.
enum AdminOption {
    /// The address that was given, as HOST:PORT.
    static func address(_ text: String) throws -> SocketAddress {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        if parts.count == 2, parts[0] == "localhost", let port = UInt16(parts[1]) { return .loopback(port: port) }
        do { return try SocketAddress(parsing: text) } catch {
            throw ValidationError("--admin \(error); give HOST:PORT, as 127.0.0.1:9100 or [::1]:9100")
        }
    }

    /// The same, where it is not the one that clients are served at.
    static func address(_ text: String, besides served: SocketAddress) throws -> SocketAddress {
        let address = try address(text)
        guard address.port == 0 || address != served else {
            throw ValidationError("--admin \(address) is where clients are served; give another port")
        }
        return address
    }

    /// Starts the administration of a server of a model, and says in the log where it listens.
    static func start(
        at address: SocketAddress, of server: any Server, _ model: String, in state: ServingState, logger: Logger
    ) throws -> AdminServer {
        let answers = AdminAnswers(
            isReady: { state.phase == .ready }, isAlive: { isAlive(server, in: state) },
            metrics: { metrics(of: server, model) })
        do throws(AdminError) {
            let server = try AdminServer(at: address, answers: answers)
            logger.notice("administration at http://\(server.address)/")
            return server
        } catch { throw ProgramFailure(message: describe(error)) }
    }

    /// Whether the server is in order: each of its loops turns.
    ///
    /// A loop that has ended its drain turns no more.
    private static func isAlive(_ server: any Server, in state: ServingState) -> Bool {
        switch state.phase {
        case .starting, .draining: true
        case .ready: server.metrics.isAlive(within: .seconds(5))
        case .stopped: false
        }
    }

    /// Everything that is counted.
    private static func metrics(of server: any Server, _ model: String) -> [MetricFamily] {
        server.metrics.families + ProcessMetrics.current() + [
            ProcessMetrics.buildInformation(
                version: PackageVersion.current, libuv: UVVersion.runningName, model: model)
        ]
    }

    private static func describe(_ error: AdminError) -> String {
        let advice =
            switch error.code {
            case Errno.addressInUse:
                "stop the program that has the port, or give another one with --admin (0 picks a free one)"
            case Errno.permissionDenied:
                "ports below 1024 need root or the capability CAP_NET_BIND_SERVICE; give a higher one with --admin"
            case Errno.addressNotAvailable: "give an address of this machine with --admin"
            default: "check --admin, or serve without it"
            }
        return "the administration cannot listen on \(error.address): \(error.message); \(advice)"
    }
}
