import ArgumentParser
import Clients
import SocketAddresses
import SystemCalls
import Terminal

/// `uvserver client`: runs simulated clients.
struct Client: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run simulated clients concurrently and check every reply.",
        discussion: """
            Each client sends its messages in three pieces, pauses between the pieces, and disconnects after the last \
            reply. The exit code is 1 if a reply is wrong or missing.
            """)

    @Option(
        name: [.customShort("n"), .customLong("clients")], help: "Number of concurrent clients, 1 to 1000.")
    var count = 3

    @Option(help: "Timeout for each client, for example 500ms, 30s or 1m.")
    var timeout = DurationArgument(.seconds(30))

    @Option(help: "Pause between two pieces, for example 500ms or 1s.")
    var pause = DurationArgument(.seconds(1))

    @Flag(help: "Draw a chart of when each client waited and when it was served, with a lane for each client.")
    var timeline = false

    @Flag(help: "Use only ASCII characters in the chart.")
    var ascii = false

    @Argument(help: "The server's host: an IP address or localhost.")
    var host = "127.0.0.1"

    @Argument(help: "The server's port.")
    var port = 9090

    func validate() throws {
        try ValidRange.check(count, 1...1000, "-n")
        try ValidRange.check(port, 1...65535, "the port")
        _ = try HostArgument.address(host, port: port, option: "the host")
    }

    func run() throws {
        StopSignals.ignoreBrokenPipe()
        let address = try HostArgument.address(host, port: port, option: "the host")
        let pace = SimulatedClient.Pace(pause: pause.duration, timeout: timeout.duration)
        let begin = ContinuousClock.now
        let unwritten = Monitor<ProgramFailure?>(nil)
        let outcomes = SimulatedClients.run(count: count, connectingTo: address, pace: pace) { line in
            do throws(ProgramFailure) { try StandardOutput.write(line + "\n") } catch {
                unwritten.withLock { $0 = error }
            }
        }
        let elapsed = begin.duration(to: .now)
        for outcome in outcomes {
            if let failure = outcome.failure { ErrorLine.write("uvserver", "\(outcome.name): \(failure)") }
        }
        if let failure = unwritten.withLock({ $0 }) { throw failure }
        try StandardOutput.write("elapsed: \(elapsed.tenths) s\n")
        if timeline {
            let chart = LaneChart(
                clients: outcomes, width: min(120, Console.columns ?? 80), marks: ascii ? .ascii : .blocks)
            for line in chart.lines() { try StandardOutput.write(line + "\n") }
        }
        if outcomes.contains(where: { $0.failure != nil }) { throw ExitCode.failure }
    }
}
