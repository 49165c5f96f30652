import ArgumentParser
import LoadGenerator
import Measurements
import Reporting
import SocketAddresses
import SystemCalls
import Terminal

/// `uvbench load`: puts a server under load, checks every byte of its answers, and measures how long they take.
struct Load: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Put any server of the protocol under load: check every answer, and measure latency.",
        discussion: """
            Without --rate each connection sends its next request as soon as it has the answer (closed loop). With it \
            requests are sent at times that are set beforehand (open loop), and latency counts from the time at which a \
            request was due, whatever kept it. Exit codes: 0 every answer was right and every --require was held; 1 \
            an answer was wrong, lost or too much, or a requirement was missed; 2 the command line is wrong; 3 the \
            figures say nothing of the server, because the generator was the bottleneck or the requests were too few.
            """)

    @Argument(help: "The server's host: an IP address, or localhost.")
    var host: String

    @Argument(help: "The server's port, 1 to 65535.")
    var port: Int

    @Option(help: "Open loop: so many requests a second in all, above 0 up to 1e9. (default: closed loop)")
    var rate: Double?

    @Option(help: "Open loop: how requests follow each other, poisson (at random, as from many users) or uniform.")
    var arrivals = ArrivalSchedule.Arrivals.poisson

    @Flag(help: "Send messages without a pause on every connection, and measure bytes a second.")
    var bulk = false

    @Flag(help: "Open a connection for each request, and close it after the answer; latency includes the connect.")
    var connectPerRequest = false

    @Option(name: .shortAndLong, help: "How many connections carry requests, 0 to 1000000.")
    var connections = 10

    @Option(help: "How many requests may be in flight on one connection, 1 to 4096.")
    var inFlight = 1

    @Option(
        name: [.customShort("s"), .customLong("size")],
        help: "Bytes of a message, 1 to 16777216; or a mix with weights, as 16:90,4096:9,65536:1.")
    var sizes = PayloadSizesArgument(byteCount: 16)

    @Option(help: "How long requests that count are sent, as 500ms, 10s or 1m. (default: 10s, unless --count is given)")
    var duration: DurationArgument?

    @Option(help: "How many requests that count are sent, 1 or more; with --duration, whichever ends first.")
    var count: Int?

    @Option(help: "How long requests are sent before they count, as 500ms or 2s.")
    var warmUp = DurationArgument(.seconds(1))

    @Option(help: "So many more connections that are greeted and say nothing, 0 to 1000000.")
    var idle = 0

    @Option(help: "So many more connections that send without a pause and read little by little, 0 to 100000.")
    var slowReaders = 0

    @Option(help: "So many more connections that send little by little, 0 to 100000.")
    var slowWriters = 0

    @Option(help: "How often each slow connection reads or sends, as 100ms or 1s.")
    var slowInterval = DurationArgument(.seconds(1))

    @Option(help: "How many bytes it then reads or sends, 1 to 65536.")
    var slowBytes = 1

    @Flag(help: "Ask the kernel when it sent each request and received each answer: the wire time.")
    var kernelTimestamps = false

    @Option(help: "Wait awake for so long before a request is due, as 50us; it keeps a processor busy. 0 to 1s.")
    var spin = DurationArgument(.zero)

    @Option(help: "Run on this processor only, as 1; best another than the server's. (default: any)")
    var processor: Int?

    @Option(help: "Open loop: a request that leaves so much later than it could is late, as 500us.")
    var lateAfter = DurationArgument(.microseconds(500))

    @Option(help: "How long to wait for a connection, and for answers once nothing is sent any more, as 10s.")
    var timeout = DurationArgument(.seconds(10))

    @Option(help: "Decides the arrivals, the sizes and the bytes: the same number makes the same load.")
    var seed: UInt64 = 1

    @Option(
        help: """
            What must hold, as p99<5ms, max<1s, mean<200us, rate>10000, service.p50<1ms or wire.p99.9<2ms; \
            may be given several times.
            """)
    var require: [RequirementArgument] = []

    @Flag(help: "Print the result as JSON.")
    var json = false

    @Flag(help: "Print the result as CSV: a line for each percentile of each time, in nanoseconds.")
    var csv = false

    @Option(help: "Write the percentiles of the response time to this file, as HdrHistogram's tools plot them (.hgrm).")
    var hgrm: String?

    @Option(help: "Write the response times of each second to this file, as HdrHistogram's tools read them (.hlog).")
    var hlog: String?

    func validate() throws {
        try ValidRange.check(port, 1...65535, "the port")
        try ValidRange.check(connections, 0...1_000_000, "--connections")
        try ValidRange.check(inFlight, LoadConnections.depths, "--in-flight")
        try ValidRange.check(idle, 0...1_000_000, "--idle")
        try ValidRange.check(slowReaders, 0...100_000, "--slow-readers")
        try ValidRange.check(slowWriters, 0...100_000, "--slow-writers")
        try ValidRange.check(slowBytes, 1...65536, "--slow-bytes")
        if let count { try ValidRange.check(count, 1...Int.max, "--count") }
        if let rate, !(rate > 0 && rate <= 1e9) {
            throw ValidationError("--rate \(rate) is out of range; give a number above 0, up to 1e9")
        }
        guard spin.duration <= .seconds(1) else { throw ValidationError("--spin is out of range; give 0 to 1s") }
        _ = try HostArgument.address(host, port: port, option: "the host")
        try checkCombination()
    }

    private func checkCombination() throws {
        if json, csv { throw ValidationError("--json and --csv exclude each other; give one") }
        if bulk, rate != nil { throw ValidationError("--bulk sends without a pause; leave out --rate or --bulk") }
        if bulk, connectPerRequest {
            throw ValidationError("--bulk has no requests to connect for; leave out --connect-per-request or --bulk")
        }
        if bulk, count != nil { throw ValidationError("--bulk has no requests to count; give --duration") }
        if bulk, sizes.sizes.shares.count > 1 { throw ValidationError("--bulk takes one --size, and no mix") }
        if connectPerRequest, inFlight > 1 {
            throw ValidationError("--connect-per-request has one request on a connection; leave out --in-flight")
        }
        if kernelTimestamps, bulk {
            throw ValidationError(
                "--kernel-timestamps needs requests: in bulk one send holds many messages, and has one time")
        }
        if connections == 0 { try checkWithoutRequests() }
        if require.contains(where: { $0.requirement.needsKernelTimestamps }), !kernelTimestamps {
            throw ValidationError("a --require of the wire time needs --kernel-timestamps")
        }
    }

    private func checkWithoutRequests() throws {
        guard idle + slowReaders + slowWriters > 0 else {
            throw ValidationError("--connections 0 leaves nothing to do; give --idle, --slow-readers or --slow-writers")
        }
        if rate != nil || bulk || connectPerRequest || count != nil || kernelTimestamps || !require.isEmpty {
            throw ValidationError("--connections 0 sends no requests; leave out what is about them")
        }
    }

    func run() throws {
        let stops = try StopRequests.handlingSignals()
        try pin()
        let progress = Console.errorIsTerminal ? LoadProgress() : nil
        let run = LoadRun(try plan(), progress: progress) { stops.count }
        let result: LoadResult
        do throws(LoadError) {
            result = try LoadProgressLine.show(progress) { () throws(LoadError) in try run() }
        } catch { throw ProgramFailure(message: error.description) }
        let conclusion = LoadConclusion(of: result, requiring: require.map(\.requirement))
        try writeFiles(result)
        try print(result, conclusion)
        if let code = conclusion.exitCode { throw code }
    }

    private func pin() throws {
        guard let processor else { return }
        do throws(SystemCallError) { try ProcessorAffinity.pin(to: processor) } catch {
            let allowed = (try? ProcessorAffinity.current()) ?? []
            throw ProgramFailure(
                message: "cannot run on processor \(processor): \(error.message); this process may use "
                    + allowed.map { "\($0)" }.joined(separator: ", "))
        }
    }

    private func plan() throws -> LoadPlan {
        let address = try HostArgument.address(host, port: port, option: "the host")
        var all = LoadConnections(targets: [address], sizes: sizes.sizes)
        all.count = connections
        all.depth = inFlight
        all.connectsForEachRequest = connectPerRequest
        all.idleCount = idle
        all.slowReaderCount = slowReaders
        all.slowWriterCount = slowWriters
        all.slowInterval = slowInterval.duration
        all.slowByteCount = slowBytes
        all.takesKernelTimestamps = kernelTimestamps
        all.timeout = timeout.duration
        all.spin = spin.duration
        all.seed = seed
        var plan = LoadPlan(connections: all, pace: pace)
        plan.warmUp = warmUp.duration
        plan.duration = duration?.duration ?? (count == nil ? .seconds(10) : nil)
        plan.count = count
        plan.lateness = lateAfter.duration
        plan.keepsIntervals = hlog != nil
        return plan
    }

    private var pace: LoadPlan.Pace {
        if bulk { return .bulk }
        if connections == 0 { return .idle }
        return rate.map { .open(arrivals, rate: $0) } ?? .closed
    }

    private func print(_ result: LoadResult, _ conclusion: LoadConclusion) throws {
        if json {
            Console.write(try JSONFormat.text(of: LoadDocument(result, conclusion), isIndented: true) + "\n")
        } else if csv {
            Console.write(result.csv)
        } else {
            for line in LoadText(result, conclusion).lines() { Console.write(line + "\n") }
        }
        for sentence in conclusion.sentences { Console.writeError("uvbench: \(sentence)\n") }
    }

    private func writeFiles(_ result: LoadResult) throws {
        if let hgrm { try write(result.response.percentileDistribution(), to: hgrm) }
        if let hlog { try write(result.histogramLog, to: hlog) }
    }

    private func write(_ text: String, to path: String) throws {
        do throws(SystemCallError) { try TextFile.write(text, to: path) } catch {
            throw ProgramFailure(message: "cannot write \(path): \(error.message)")
        }
    }
}
