import ArgumentParser
import Comparison
import Measurements
import Reporting
import SystemCalls
import Terminal

/// `uvbench compare`: which server is faster, by how much, and whether this machine can tell.
struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compare servers: which is faster, by how much, and can this machine tell?",
        discussion: """
            Each server is a model of uvserver (see 'uvserver models'), NAME=HOST:PORT for one that runs already, \
            or NAME='COMMAND with {port}' for one that the command starts. The first is the reference. All run at \
            once, each request goes to one of them in random order, and never two are loaded at the same time. Beside \
            them run a second copy of the reference, which shows what this machine can tell apart today, and a server \
            that does next to nothing, which is the floor. Exit codes: 0 all went well and --require holds; 1 an answer \
            was wrong, or --require does not hold; 2 the command line is wrong; 3 nothing can be concluded: the load \
            generator was the bottleneck, the reference differs from itself, or --require cannot be decided.
            """)

    @Argument(help: "The servers, the reference first: MODEL, NAME=HOST:PORT, or NAME='COMMAND with {port}'.")
    var servers: [String]

    @Option(help: "The loads, with commas between: \(ComparedLoad.all.map(\.name).joined(separator: ", ")), or all.")
    var loads = "one"

    @Option(help: "How often all servers are started, 1 to 100.")
    var starts = 3

    @Option(help: "How many blocks each load is measured in, over all starts, 1 to 1000; a verdict takes 12.")
    var blocks = BlockRules.defaultBlocks

    @Option(help: "Open loop: requests a second to all servers together, above 0 up to 1000000.")
    var rate = 2000.0

    @Option(help: "Open loop: how requests follow each other, poisson or uniform.")
    var arrivals = ArrivalSchedule.Arrivals.poisson

    @Option(
        help: "Open loop: requests to each server in a block, 1 to 1000000. (default: what --time holds, 400 at least)")
    var requests: Int?

    @Option(help: "How long all of it may take, as 55s or 5m; blocks are not made too small for it.")
    var time = DurationArgument(.seconds(55))

    @Option(help: "The percentile that verdicts are about, as 50, 99 or 99.9.")
    var percentile = 99.0

    @Option(help: "The latency that verdicts are about: wire or response. (default: wire, and response for churn)")
    var clock: LatencyClock?

    @Option(help: "The difference in per cent that does not matter, 0 to 1000.")
    var margin = 5.0

    @Option(
        help: "Also try these rates, with commas between, as 1000,5000,20000, and find where each server's knee is.")
    var rates: String?

    @Option(help: "Decides every schedule: the same number makes the same run.")
    var seed: UInt64 = 1

    @Option(
        help: "The processors of the servers and of the load, as 0,1; or any. (default: the first two that are allowed)"
    )
    var processors: String?

    @Option(help: "The file of uvserver, which serves the models. (default: beside uvbench, else in PATH)")
    var uvserver: String?

    @Option(help: "What must hold for every server but the first: faster, equivalent or not-slower.")
    var require: RequiredVerdict?

    @Option(help: "Compare with the result of an earlier run, as --json has printed it.")
    var baseline: String?

    @Flag(help: "Print the result as JSON.")
    var json = false

    @Flag(help: "Print the result as Markdown.")
    var markdown = false

    @Option(help: "Write the page to this file: one file of HTML that opens offline.")
    var html: String?

    func validate() throws {
        guard servers.count >= 2 else { throw ValidationError("give two servers or more, the reference first") }
        guard servers.count <= PairedSchedule.maxVariantCount - 2 else {
            throw ValidationError(
                "\(servers.count) servers are too many; give 2 to \(PairedSchedule.maxVariantCount - 2)")
        }
        try ValidRange.check(starts, 1...100, "--starts")
        try ValidRange.check(blocks, 1...1000, "--blocks")
        if let requests { try ValidRange.check(requests, 1...1_000_000, "--requests") }
        guard rate > 0, rate <= 1_000_000 else {
            throw ValidationError("--rate \(rate) is out of range; give a number above 0, up to 1000000")
        }
        guard (0...1000).contains(margin) else { throw ValidationError("--margin is out of range; give 0 to 1000") }
        guard Percentile(percent: percentile) != nil else {
            throw ValidationError("--percentile \(percentile) is none; give a number from 0 to below 100")
        }
        if json, markdown { throw ValidationError("--json and --markdown exclude each other; give one") }
        _ = try specifications()
        _ = try chosenLoads()
        _ = try chosenRates()
        _ = try chosenProcessors()
    }

    func run() throws {
        let stops = try StopRequests.handlingSignals()
        // Before a minute is spent: whether the files can be read and written.
        let earlier = try baseline.map(read)
        if let html { try write("", to: html) }
        let plan = try plan()
        var comparison = ServerComparison(plan)
        comparison.isStopped = { stops.count > 0 }
        comparison.progress = { ComparisonProgressLine.show($0) }
        ComparisonProgressLine.announce(plan)
        var report: ComparisonReport
        do throws(ComparisonError) { report = try comparison.run() } catch {
            ComparisonProgressLine.end()
            if error.isUnfit {
                Console.writeError("uvbench: nothing can be concluded: \(error)\n")
                throw ExitCode(3)
            }
            throw ProgramFailure(message: error.description)
        }
        ComparisonProgressLine.end()
        report.baseline = earlier.map { BaselineComparison(earlier: $0, now: report) }
        try publish(report)
    }

    private func publish(_ report: ComparisonReport) throws {
        do {
            if let html { try write(ReportPage(report).html, to: html) }
            if json { Console.write(try report.json() + "\n") }
        } catch let error as ReportError { throw ProgramFailure(message: "\(error)") }
        let tables = ComparisonTables(report)
        if markdown { Console.write(tables.markdown) } else if !json { Console.write(tables.text) }
        let outcome = ComparisonOutcome(report, requiring: require)
        for sentence in outcome.sentences { Console.writeError("uvbench: \(sentence)\n") }
        if let code = outcome.exitCode { throw code }
    }

    private func read(_ path: String) throws -> ComparisonReport {
        do { return try ComparisonReport(json: TextFile.read(path)) } catch {
            throw ProgramFailure(message: "cannot use \(path) as a baseline: \(error)")
        }
    }

    private func write(_ text: String, to path: String) throws {
        do throws(SystemCallError) { try TextFile.write(text, to: path) } catch {
            throw ProgramFailure(message: "cannot write \(path): \(error.message)")
        }
    }
}

// MARK: - The plan

extension Compare {
    private func plan() throws -> ComparisonPlan {
        var plan = ComparisonPlan(servers: try specifications())
        plan.loads = try chosenLoads()
        plan.starts = min(starts, blocks)
        plan.blocks = blocks
        plan.rate = rate
        plan.arrivals = arrivals
        plan.requests = requests
        plan.time = time.duration
        plan.percentile = Percentile(percent: percentile) ?? .p99
        plan.clock = clock
        plan.margin = Margin(share: margin / 100)
        plan.rates = try chosenRates()
        plan.seed = seed
        plan.processors = try chosenProcessors()
        plan.drawsLanes = json || html != nil
        plan.tool = "uvbench \(PackageVersion.current)"
        plan.command = "uvbench " + CommandLine.arguments.dropFirst().map(ShellWord.quoted).joined(separator: " ")
        plan.uvbench = try ServerProgram.own()
        if plan.servers.contains(where: { if case .model = $0.source { true } else { false } }) {
            let server = try ServerProgram(given: uvserver)
            plan.uvserver = server.path
            plan.environment = [.init("uvserver", try server.version())]
        }
        return plan
    }

    private func specifications() throws -> [ServerSpecification] {
        var found: [ServerSpecification] = []
        for text in servers {
            let specification: ServerSpecification
            do throws(ComparisonError) { specification = try ServerSpecification(parsing: text) } catch {
                throw ValidationError(error.description)
            }
            let same = found.count { $0.name == specification.name || $0.name.hasPrefix("\(specification.name) #") }
            found.append(
                same == 0
                    ? specification
                    : ServerSpecification(name: "\(specification.name) #\(same + 1)", source: specification.source))
        }
        return found
    }

    private func chosenLoads() throws -> [ComparedLoad] {
        if loads == "all" { return ComparedLoad.all }
        return try loads.split(separator: ",", omittingEmptySubsequences: false).map { name in
            guard let load = ComparedLoad.named(String(name)) else {
                let names = ComparedLoad.all.map(\.name).joined(separator: ", ")
                throw ValidationError("'\(name)' is no load; give some of \(names), or all")
            }
            return load
        }
    }

    private func chosenRates() throws -> [Double] {
        try (rates ?? "").split(separator: ",").map { text in
            guard let rate = Double(text), rate > 0, rate <= 1_000_000 else {
                throw ValidationError("'\(text)' is no rate; give numbers above 0, up to 1000000")
            }
            return rate
        }
    }

    private func chosenProcessors() throws -> (servers: Int, load: Int)? {
        if processors == "any" { return nil }
        let allowed = (try? ProcessorAffinity.current()) ?? []
        guard let processors else { return allowed.count >= 2 ? (allowed[0], allowed[1]) : nil }
        let numbers = processors.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
        guard numbers.count == 2, let first = numbers[0], let second = numbers[1], allowed.contains(first),
            allowed.contains(second)
        else {
            let list = allowed.map { "\($0)" }.joined(separator: ", ")
            throw ValidationError("--processors '\(processors)' is wrong; give two of \(list), or any")
        }
        return (first, second)
    }
}
