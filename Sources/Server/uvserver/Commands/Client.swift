import ArgumentParser
import Clients
import SocketAddresses
import SystemCalls
import Terminal

/// `uvserver client`: the simulated clients of the series.
struct Client: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run simulated clients at the same time, and check every answer.",
        discussion: """
            Each client sends three pieces of messages with a second between, and leaves when 1111 has come back. \
            Exit code 1 where an answer is wrong or missing.
            """)

    @Option(
        name: [.customShort("n"), .customLong("clients")], help: "How many clients run at the same time, 1 to 1000.")
    var count = 3

    @Option(help: "The longest that a client takes, as 500ms, 30s or 1m.")
    var timeout = DurationArgument(.seconds(30))

    @Option(help: "The pause between two pieces, as 500ms or 1s.")
    var pause = DurationArgument(.seconds(1))

    @Flag(help: "Draw the clients as lanes afterwards: when each waited, was served, and was done.")
    var timeline = false

    @Flag(help: "Draw with ASCII only.")
    var ascii = false

    @Argument(help: "The server's host: an IP address, or localhost.")
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
        let outcomes = SimulatedClients.run(count: count, connectingTo: address, pace: pace) { line in
            Console.write(line + "\n")
        }
        Console.write("elapsed: \(begin.duration(to: .now).tenths) s\n")
        if timeline { draw(outcomes) }
        for outcome in outcomes {
            if let failure = outcome.failure { Console.writeError("uvserver: \(outcome.name): \(failure)\n") }
        }
        if outcomes.contains(where: { $0.failure != nil }) { throw ExitCode.failure }
    }

    private func draw(_ outcomes: [SimulatedClient.Outcome]) {
        let lanes = outcomes.map { outcome in
            LaneChart.Lane(
                name: outcome.name, started: outcome.started, served: outcome.greeted, ended: outcome.ended,
                succeeded: outcome.failure == nil)
        }
        let chart = LaneChart(
            lanes: lanes, width: min(120, Console.columns ?? 80), marks: ascii ? .ascii : .blocks)
        for line in chart.lines() { Console.write(line + "\n") }
    }
}
