import ArgumentParser
import Comparison
import SocketAddresses
import SystemCalls
import Terminal

/// `uvbench floor`: runs a server that does as little as possible, the floor of comparisons.
struct Floor: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the floor of comparisons, a server that does as little as possible.",
        discussion: """
            The server is for measurements only: it has no limits and no graceful shutdown. The server prints one \
            line, 'listening on ADDRESS:PORT (floor)', when it accepts connections. SIGINT or SIGTERM stops it.
            """)

    @Option(help: "The address to listen on: IPv4, IPv6, or localhost.")
    var host = "127.0.0.1"

    @Option(help: "The port to listen on, 0 to 65535. 0 selects a free port.")
    var port = 9090

    @Option(help: "Busy-wait this long before each reply, for example 20us, to create a known difference. 0 to 1s.")
    var busy = DurationArgument(.zero)

    func validate() throws {
        _ = try HostArgument.address(host, port: port, option: "--host")
        guard busy.duration <= .seconds(1) else { throw ValidationError("--busy must be at most 1s") }
    }

    func run() throws {
        let stops = try StopRequests.handlingSignals()
        let address = try HostArgument.address(host, port: port, option: "--host")
        do {
            var server = try FloorServer(listeningOn: address, busy: busy.duration)
            guard busy.duration == .zero || busy.duration >= server.shortestBusy else {
                throw ProgramFailure(
                    message: "--busy must be at least \(Int(server.shortestBusy / .nanoseconds(1))) ns, because reading"
                        + " the clock of this machine takes that long")
            }
            Console.write("listening on \(try server.address) (floor)\n")
            try server.run { stops.count > 0 }
        } catch let error as SystemCallError {
            throw ProgramFailure(message: "cannot serve on \(address): \(error); give another --port")
        }
    }
}
