import ArgumentParser
import Comparison
import Measurements
import Reporting
import SystemCalls
import Terminal

/// `uvbench compare`: compares servers, with a confidence interval and a verdict.
struct Compare: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Compare servers: report which is faster, by how much, and with what confidence.",
        discussion: """
            A server is given in one of three forms. MODEL is a model of uvserver (see 'uvserver models'). \
            NAME=HOST:PORT is a running server. NAME='COMMAND with {port}' is a server that the command starts. The \
            first server is the reference. All \
            servers run at the same time, but only one is loaded at a time. Requests go to the servers in random \
            order. Two additional servers also run: the control and the floor. The control is a second copy of the \
            reference, and shows the noise floor. The floor server does as little as possible.

            Exit codes: 0 means success. 1 means that a reply was wrong or lost, or that the condition of --require is \
            not met. 2 means that the command line is invalid. 3 means that no conclusion is possible: the load \
            generator was the bottleneck, the reference and its control differ, or the verdict for --require is \
            undecided.
            """)

    @Argument(
        help: "The servers: MODEL, NAME=HOST:PORT, or NAME='COMMAND with {port}'. The first server is the reference.")
    var servers: [String]

    @Option(
        help: """
            The loads, separated by commas: \(ComparedLoad.all.map(\.name).joined(separator: ", ")), or all. \
            CONNECTIONSxBYTES is a load of busy connections (1 to 10000) with messages of that size (1 to 1048576), for \
            example 1000x16.
            """)
    var loads = "one"

    @Option(help: "The number of times that all servers are started, 1 to 100.")
    var starts = 3

    @Option(help: "The total number of blocks per load, over all starts, 1 to 1000. A verdict needs at least 12.")
    var blocks = BlockRules.defaultBlocks

    @Option(help: "Open loop: the total rate for all servers, in requests per second, 0.001 to 1000000.")
    var rate = 2000.0

    @Option(help: "Open loop: the arrival process, poisson or uniform.")
    var arrivals = ArrivalSchedule.Arrivals.poisson

    @Option(
        help: """
            Open loop: the number of requests to each server in a block, 1 to 1000000. (default: as many as fit into \
            --time, at least 400)
            """)
    var requests: Int?

    @Option(
        help: """
            The time available for the whole comparison, for example 55s or 5m. The comparison takes longer if a \
            verdict needs longer blocks.
            """)
    var time = DurationArgument(.seconds(55))

    @Option(help: "The percentile that verdicts compare, for example 50, 99 or 99.9.")
    var percentile = 99.0

    @Option(
        help: "The latency that verdicts compare: wire or response. (default: response for churn, otherwise wire)")
    var clock: LatencyClock?

    @Option(help: "The margin: the largest difference that does not matter, in per cent, 0 to 1000.")
    var margin = 5.0

    @Option(
        help: """
            Also load each server at these rates, for example 1000,5000,20000, and find its knee: the rate at which it \
            stops keeping up.
            """)
    var rates: String?

    @Option(help: "The seed of every schedule. A run with the same seed sends the same requests.")
    var seed: UInt64 = 1

    @Option(
        help: """
            Two processors, for example 0,1: the first for all servers, the second for the load generator. With any, \
            nothing is pinned. (default: the first two that this process may use)
            """)
    var processors: String?

    @Option(help: "The path of uvserver. (default: uvserver in the directory of uvbench, otherwise in PATH)")
    var uvserver: String?

    @Option(help: "The verdict that every candidate must get: faster, equivalent or not-slower.")
    var require: RequiredVerdict?

    @Option(help: "Also compare the result with an earlier run: the path of its report, written by --json.")
    var baseline: String?

    @Flag(help: "Print the result as JSON.")
    var json = false

    @Flag(help: "Print the result as Markdown.")
    var markdown = false

    @Option(help: "Write the report to this file, as a self-contained HTML page.")
    var html: String?

    /// The rates that an open loop can have, in requests per second.
    ///
    /// At rates below this range, a comparison would take years.
    private static let rateRange = 0.001...1_000_000

    func validate() throws {
        guard servers.count >= 2 else { throw ValidationError("give at least two servers; the first is the reference") }
        guard servers.count <= PairedSchedule.maxVariantCount - 2 else {
            throw ValidationError(
                "there must be between 2 and \(PairedSchedule.maxVariantCount - 2) servers (got \(servers.count))")
        }
        try ValidRange.check(starts, 1...100, "--starts")
        try ValidRange.check(blocks, 1...1000, "--blocks")
        if let requests { try ValidRange.check(requests, 1...1_000_000, "--requests") }
        try ValidRange.check(rate, Compare.rateRange, "--rate")
        try ValidRange.check(margin, 0...1000, "--margin")
        guard Percentile(percent: percentile) != nil else {
            throw ValidationError("--percentile must be at least 0 and below 100 (got \(percentile))")
        }
        if json, markdown { throw ValidationError("--json and --markdown cannot be combined") }
        _ = try specifications()
        _ = try chosenLoads()
        _ = try chosenRates()
        _ = try chosenProcessors()
    }

    func run() throws {
        let stops = try StopRequests.handlingSignals()
        // Files are checked before the measurement, because the measurement takes a minute.
        let earlier = try baseline.map(read)
        if let html { try ResultFile.write("", to: html) }
        let plan = try plan()
        var comparison = ServerComparison(plan)
        comparison.isStopped = { stops.count > 0 }
        comparison.progress = { ComparisonProgressLine.show($0) }
        ComparisonProgressLine.announce(plan)
        var report: ComparisonReport
        do throws(ComparisonError) { report = try comparison.run() } catch {
            ComparisonProgressLine.end()
            if error.isUnfit {
                ErrorLine.write("uvbench", "no conclusion is possible: \(error)")
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
            if let html { try ResultFile.write(ReportPage(report).html, to: html) }
            if json { try StandardOutput.write(report.json() + "\n") }
        } catch let error as ReportError { throw ProgramFailure(message: "\(error)") }
        let tables = ComparisonTables(report)
        if markdown {
            try StandardOutput.write(tables.markdown)
        } else if !json {
            try StandardOutput.write(tables.text)
        }
        try Outcome(report, requiring: require).report()
    }

    private func read(_ path: String) throws -> ComparisonReport {
        do { return try ComparisonReport(json: TextFile.read(path)) } catch {
            throw ProgramFailure(message: "cannot use \(path) as a baseline: \(error)")
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
        plan.command = "uvbench " + ProgramArguments.afterName.map(ShellWord.quoted).joined(separator: " ")
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
                throw ValidationError(
                    UnknownName.message("load", String(name), among: ComparedLoad.all.map(\.name))
                        + " Give one or more of \(names), separated by commas, or all, or CONNECTIONSxBYTES such as"
                        + " 1000x16")
            }
            return load
        }
    }

    private func chosenRates() throws -> [Double] {
        try (rates ?? "").split(separator: ",").map { text in
            guard let rate = Double(text), Compare.rateRange.contains(rate) else {
                throw ValidationError("--rates must be numbers between 0.001 and 1000000 (got '\(text)')")
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
            throw ValidationError("--processors must be two of \(list), for example 0,1; or any (got '\(processors)')")
        }
        return (first, second)
    }
}
