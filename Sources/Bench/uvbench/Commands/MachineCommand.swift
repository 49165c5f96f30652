import ArgumentParser
import Measurements
import SystemCalls
import Terminal

/// `uvbench machine`: measures the speed of the protocol's state machine, memcpy and a scalar loop.
struct MachineCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "machine",
        abstract: "Measure the speed of the protocol's state machine, and compare it with memcpy and a scalar loop.",
        discussion: """
            The state machine, memcpy and the scalar loop are measured in alternating rounds, and the best round of \
            each is used. Hostile inputs make the search for delimiters slow. On these inputs, the state machine \
            should reach at least 0.8 times the speed of the scalar loop.
            """)

    @Option(
        name: .customLong("size"), help: "A message size in bytes, 1 to 16777216. May be given several times.")
    var sizes: [Int] = [16, 256, 4096, 1_048_576]

    @Option(help: "The time to measure each row of the table, for example 500ms or 2s.")
    var time = DurationArgument(.milliseconds(600))

    func validate() throws { for size in sizes { try ValidRange.check(size, 1...(1 << 24), "--size") } }

    func run() throws {
        var table = TextTable(head: ["input", "memcpy GB/s", "scalar GB/s", "machine GB/s", "/ memcpy", "/ scalar"])
        for size in sizes { append(.message(byteCount: size), to: &table) }
        for input in ProtocolBenchmark.Input.hostile { append(input, to: &table) }
        for line in table.lines() { try StandardOutput.write(line + "\n") }
    }

    private func append(_ input: ProtocolBenchmark.Input, to table: inout TextTable) {
        if Console.isTerminal { Console.writeProgress("measuring \(input.name)...\r") }
        let speed = ProtocolBenchmark(input: input).measure(for: time.duration)
        let numbers = [
            speed.memcpy, speed.scalar, speed.machine, speed.machine / speed.memcpy, speed.machine / speed.scalar,
        ]
        table.append([input.name] + numbers.map { $0.isFinite ? DecimalText.fixed($0, places: 2) : "n/a" })
    }
}
