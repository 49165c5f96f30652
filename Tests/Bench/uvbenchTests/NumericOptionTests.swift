import Foundation
import SocketAddresses
import SystemCalls
import Testing

/// Passes numbers at both ends of each option's range, and far beyond, to every numeric option of both programs.
///
/// The options come from the programs' own description of their command lines (`--experimental-dump-help`), so a new
/// option is tested without a change here.
@Suite(.timeLimit(.minutes(10))) struct NumericOptionTests {
    // MARK: - The options

    /// A command as `--experimental-dump-help` describes it.
    private struct CommandDescription: Decodable {
        let commandName: String
        let subcommands: [CommandDescription]?
        let arguments: [ArgumentDescription]?
    }

    private struct ArgumentDescription: Decodable {
        struct Name: Decodable {
            let kind: String
            let name: String
        }
        let kind: String
        let names: [Name]?
        let preferredName: Name?
        let valueName: String?
        let abstract: String?
    }

    /// A numeric option or argument of a command, and the command lines that set it.
    private struct NumericOption {
        let program: Program
        /// The option as errors name it, for example `--rate` or `<port>`.
        let names: [String]
        /// Whether the value is a duration.
        let isDuration: Bool
        let help: String
        /// Returns the command line that sets the option.
        let arguments: (String) -> [String]
    }

    /// Texts that contain numbers in an option whose value is more than a number.
    ///
    /// `{}` is the number.
    private static let templates = [
        "compare --rates": ["{}", "1,{}"], "compare --processors": ["{}", "0,{}"],
        "load --require": ["p{}<1s", "p99<{}s", "rate>{}"], "load --size": ["{}", "1:{}"],
        "health server": ["127.0.0.1:{}"], "serve --admin": ["127.0.0.1:{}"],
        "serve --proxy-protocol": ["10.0.0.0/{}", "{}.0.0.0/8"],
    ]

    /// The arguments with which a command ends quickly, in groups that belong together.
    private static func fillers(_ command: String, _ server: SocketAddress, _ fake: String) -> [[String]] {
        switch command {
        case "serve": [["--port", "0"]]
        case "client": [["--pause", "1ms"], ["--timeout", "5s"], ["-n", "1"]]
        case "load": [["--count", "3"], ["--warm-up", "0"], ["--timeout", "2s"]]
        case "compare": [["epoll", "libuv"], ["--uvserver", fake]]
        case "judge": [["--uvserver", fake], ["--sources", "/nonexistent"]]
        case "machine": [["--size", "1"], ["--time", "1us"]]
        case "floor": [["--port", "0"]]
        default: []
        }
    }

    /// The positional arguments of a command, in order.
    private static func positional(_ command: String, _ server: SocketAddress) -> [(name: String, value: String)] {
        switch command {
        case "client", "load": [("host", server.host), ("port", "\(server.port)")]
        case "health": [("server", "\(server)")]
        default: []
        }
    }

    /// The other options without which an option has no effect.
    private static let companions = [
        "serve --threads": ["--model", "thread-pool"], "serve --queue": ["--model", "thread-pool"],
        "serve --loops": ["--model", "libuv-loops"], "load --spin": ["--rate", "1000"],
        "load --late-after": ["--rate", "1000"], "load --slow-interval": ["--slow-readers", "1"],
        "load --slow-bytes": ["--slow-writers", "1"],
    ]

    private static func descriptions(_ program: Program) throws -> [CommandDescription] {
        struct Tool: Decodable { let command: CommandDescription }
        let output = try program.run(["--experimental-dump-help"]).output
        let tool = try JSONDecoder().decode(Tool.self, from: Data(output.utf8))
        return (tool.command.subcommands ?? []).filter { $0.commandName != "help" }
    }

    /// Returns the numeric options of a command.
    ///
    /// An option is numeric if its value may be a number but not a word, or if it has a template.
    private static func numericOptions(
        of command: CommandDescription, _ program: Program, _ server: SocketAddress, _ fake: String
    ) throws -> [NumericOption] {
        let name = command.commandName
        let positional = Self.positional(name, server)
        return try (command.arguments ?? []).flatMap { argument throws -> [NumericOption] in
            let names = (argument.names ?? []).map { ($0.kind == "long" ? "--" : "-") + $0.name }
            let isPositional = argument.kind == "positional"
            guard argument.kind == "option" || isPositional else { return [] }
            let preferred = argument.preferredName.map { ($0.kind == "long" ? "--" : "-") + $0.name }
            let place = positional.firstIndex { $0.name == argument.valueName }
            if isPositional, place == nil { return [] }
            let fillers = Self.fillers(name, server, fake).filter { !names.contains($0[0]) }.flatMap { $0 }
            let key = "\(name) \(preferred ?? argument.valueName ?? "")"
            let companions = Self.companions[key] ?? []
            func arguments(_ value: String) -> [String] {
                var others = positional.map(\.value)
                if let place { others[place] = value }
                let option = preferred.map { ["\($0)=\(value)"] } ?? []
                return [name] + fillers + companions + (isPositional ? [] : option) + ["--"] + others
            }
            func isRejected(_ value: String) throws -> Bool {
                // The parser rejects a value of the wrong type before it reports the unknown option.
                let line = [arguments(value)[0], "--no-such-option"] + arguments(value).dropFirst()
                let errors = try program.run(line).errors
                return errors.contains("invalid for '")
            }
            let option = { (isDuration: Bool, template: String) in
                NumericOption(
                    program: program, names: names + (isPositional ? [argument.valueName ?? ""] : []),
                    isDuration: isDuration, help: argument.abstract ?? ""
                ) { arguments(template.replacing("{}", with: $0)) }
            }
            if let templates = Self.templates[key] {
                return templates.map { option(false, $0) }
            }
            guard try isRejected("word"), try !isRejected("1") else { return [] }
            return [option(try !isRejected("1ms"), "{}")]
        }
    }

    // MARK: - The values

    /// Numbers at the ends of the types' ranges, beyond them, and texts that resemble numbers.
    private static let numbers = [
        "0", "1", "-1", "1e-16", "1e308", "5e-324", "nan", "-inf", "", "١", "9223372036854775807",
        "9223372036854775808", "-9223372036854775808", "18446744073709551615", "18446744073709551616",
    ]
    private static let durations = [
        "0us", "0.0000000000001us", "0.5us", "86400s", "86401s", "99999999999999999999s", "1..2s", ".s", "-1s",
    ]

    /// Returns the numbers to pass to an option, among them those that its help text names, and their neighbours.
    private static func values(for option: NumericOption) -> [String] {
        var values = numbers + (option.isDuration ? durations : [])
        for found in option.help.matches(of: /([0-9]+)(us|ms|s|m)?\b/) {
            guard let number = Int(found.1) else { continue }
            let unit = option.isDuration ? String(found.2 ?? "") : ""
            values += [number - 1, number, number + 1].map { "\($0)\(unit)" }
        }
        var seen = Set<String>()
        return values.filter { seen.insert($0).inserted }
    }

    // MARK: - The run

    private struct Outcome {
        var exit: ChildProcess.Exit?
        var wasStopped = false
        var text = ""
    }

    /// Runs a program.
    ///
    /// If it does not exit by itself, stops it with signals, as an operator would.
    ///
    /// - Parameter handlesSignals: whether to stop the program only after it has begun to handle SIGTERM. Before that, the
    ///   signal would end the process.
    private static func run(
        _ program: Program, _ arguments: [String], handlesSignals: Bool = false
    ) throws -> Outcome {
        // Without the limit, `load --idle=1000000` would open a million connections.
        let command = "(ulimit -n 4096) 2>/dev/null && ulimit -n 4096; exec \"$0\" \"$@\" 2>&1"
        var child = try ChildProcess("/bin/sh", ["-c", command, program.file.path] + arguments, ownsGroup: true)
        var outcome = Outcome()
        var isServing = false
        let patience = ContinuousClock.now.advanced(by: .milliseconds(300))
        while let line = try child.readLine(timeout: ContinuousClock.now.duration(to: patience)) {
            outcome.text += line + "\n"
            guard line.hasPrefix("listening on "), let word = line.split(separator: " ").dropFirst(2).first else {
                continue
            }
            try converse(with: SocketAddress(parsing: String(word)))
            isServing = true
            break
        }
        // A server ends only with a signal; another program usually ends by itself.
        let remaining = isServing ? .zero : ContinuousClock.now.duration(to: patience)
        outcome.exit = try child.wait(timeout: max(.zero, remaining))
        let deadline = ContinuousClock.now.advanced(by: .seconds(60))
        while handlesSignals, outcome.exit == nil, try !handlesTermination(child.processIdentifier), .now < deadline {
            outcome.exit = try child.wait(timeout: .milliseconds(20))
        }
        for _ in 0..<2 where outcome.exit == nil {
            outcome.wasStopped = true
            child.terminate()
            outcome.exit = try child.wait(timeout: .milliseconds(300))
        }
        // A debug build needs half a minute to make requests of 16 MiB.
        if outcome.exit == nil { outcome.exit = try child.wait(timeout: .seconds(120)) }
        return outcome
    }

    /// Whether a process has a handler for SIGTERM.
    private static func handlesTermination(_ processIdentifier: Int32) throws -> Bool {
        // A process that has exited has no such file.
        guard let status = try? String(contentsOfFile: "/proc/\(processIdentifier)/status", encoding: .utf8),
            let line = status.split(separator: "\n").first(where: { $0.hasPrefix("SigCgt:") }),
            let mask = line.split(whereSeparator: \.isWhitespace).last.flatMap({ UInt64($0, radix: 16) })
        else { return false }
        return mask & 1 << (SIGTERM - 1) != 0
    }

    /// Sends a message, so that the limits under test apply to a connection.
    ///
    /// The server may close the connection.
    private static func converse(with address: SocketAddress) throws {
        guard let client = try? StreamSocket.connect(to: address, timeout: .seconds(1)) else { return }
        _ = try? client.sendAll(Array("^abc$".utf8).span)
        for _ in 0..<2 where try client.wait(for: .readable, timeout: .milliseconds(50)) {
            _ = try? client.receive(upTo: 64)
        }
    }

    /// Runs a command line, and checks how the program ends.
    private static func check(_ option: NumericOption, _ value: String) throws {
        let arguments = option.arguments(value)
        let outcome = try run(option.program, arguments)
        let line = "\(arguments.joined(separator: " ")): \(outcome.text)"
        switch outcome.exit {
        case nil: Issue.record("no exit after two signals: \(line)")
        case .signal(let number):
            #expect(outcome.wasStopped && number == SIGTERM, "ended by signal \(number): \(line)")
        case .code(let code):
            guard code == 2 || code == 64 else { break }
            #expect(option.names.contains { outcome.text.contains($0) }, "the error does not name the option: \(line)")
        }
    }

    // MARK: - Tests

    /// Runs `body` with a server for the commands that need one, and a program that is no server.
    private func withServer(_ body: (SocketAddress, String) throws -> Void) throws {
        let server = try Program.uvserver.start(["serve", "--port", "0", "--model", "epoll", "--log-level", "critical"])
        defer {
            server.process.terminate()
            server.process.waitUntilExit()
        }
        let word = try server.readLine(from: server.output).split(separator: " ").dropFirst(2).first
        let address = try SocketAddress(parsing: String(try #require(word)))
        let text = FileManager.default.temporaryDirectory.appending(path: "no-server-\(UUID().uuidString)")
        let fake = text.appendingPathExtension("sh")
        try "#!/bin/sh\necho '0 (libuv 0)'\n".write(to: text, atomically: true, encoding: .utf8)
        defer { for file in [text, fake] { try? FileManager.default.removeItem(at: file) } }
        try Program.install(text, at: fake)
        try body(address, fake.path)
    }

    @Test(arguments: [
        ("serve", 14), ("client", 4), ("health", 2), ("compare", 12), ("load", 20), ("judge", 2), ("machine", 2),
        ("floor", 2),
    ])
    func everyNumberIsUsedOrRejected(_ command: String, _ least: Int) throws {
        try withServer { server, fake in
            var count = 0
            for program in [Program.uvserver, .uvbench] {
                for description in try Self.descriptions(program) where description.commandName == command {
                    for option in try Self.numericOptions(of: description, program, server, fake) {
                        count += 1
                        for value in Self.values(for: option) { try Self.check(option, value) }
                    }
                }
            }
            #expect(count >= least, "found only \(count) numeric options of \(command)")
        }
    }

    @Test(arguments: [
        "--rate=0.001", "--rate=1000000", "--time=0", "--time=1440m", "--blocks=1000", "--starts=100",
        "--requests=1000000", "--percentile=0", "--percentile=99.9999", "--margin=0", "--margin=1000",
        "--rates=0.001,1000000", "--seed=18446744073709551615",
    ])
    func aComparisonAtTheEndOfARangeCanBeStopped(_ option: String) throws {
        try withServer { server, _ in
            let arguments = [
                "compare", "a=\(server)", "b=\(server)", "--starts=1", "--blocks=2", "--requests=10", option,
            ]
            let outcome = try Self.run(.uvbench, arguments, handlesSignals: true)
            #expect([0, 1, 3].contains { outcome.exit == .code($0) }, "\(arguments): \(outcome)")
        }
    }

    @Test func requestsInFlightAreLimitedTogether() throws {
        try withServer { server, _ in
            let load = ["load", server.host, "\(server.port)"]
            let finished = try Program.uvbench.run(load + ["--connections=1000000", "--in-flight=4096"])
            finished.expectFailure(2)
            #expect(finished.errors.contains("--connections times --in-flight must be at most 1048576"))
        }
    }
}
