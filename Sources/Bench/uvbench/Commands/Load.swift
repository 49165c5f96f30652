import ArgumentParser
import LoadGenerator
import Measurements
import Reporting
import SocketAddresses
import SystemCalls
import Terminal

/// `uvbench load`: puts a server under load, checks every byte of its replies, and measures latency.
struct Load: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Put any server of the protocol under load: check every reply, and measure latency.",
        discussion: """
            Without --rate each connection sends its next request when it has received the reply (closed loop). With \
            --rate requests are due at predetermined times (open loop), and latency counts from the time at which a \
            request was due, whatever delayed it.

            Exit codes: 0 every reply was correct and every --require holds; 1 a reply was wrong, lost or unexpected, \
            or a --require does not hold; 2 the command line is invalid; 3 nothing can be concluded, because the load \
            generator was the bottleneck or there were too few requests.
            """)

    @Argument(help: "The server's host: an IP address, or localhost.")
    var host: String

    @Argument(help: "The server's port, 1 to 65535.")
    var port: Int

    @Option(help: "Open loop: requests per second in total, above 0 and at most 1e9. (default: closed loop)")
    var rate: Double?

    @Option(
        help:
            "Open loop: the distribution of the distances between requests: poisson (random, like many users) or uniform."
    )
    var arrivals = ArrivalSchedule.Arrivals.poisson

    @Flag(help: "Send messages without a pause on every connection, and measure bytes per second.")
    var bulk = false

    @Flag(help: "Open a connection for each request, and close it after the reply; latency includes connecting.")
    var connectPerRequest = false

    @Option(name: .shortAndLong, help: "The number of connections that send requests, 0 to 1000000.")
    var connections = 10

    @Option(help: "The maximum number of requests in flight on a connection, 1 to 4096.")
    var inFlight = 1

    @Option(
        name: [.customShort("s"), .customLong("size")],
        help: "The size of a message in bytes, 1 to 16777216; or a mix with weights, for example 16:90,4096:9,65536:1.")
    var sizes = PayloadSizes(byteCount: 16)

    @Option(
        help:
            "The time for which requests are measured, for example 500ms, 10s or 1m. (default: 10s, unless --count is given)"
    )
    var duration: DurationArgument?

    @Option(help: "The number of requests that are measured, at least 1; with --duration, whichever ends first.")
    var count: Int?

    @Option(help: "The time for which requests are sent before the measurement, for example 500ms or 2s.")
    var warmUp = DurationArgument(.seconds(1))

    @Option(help: "The number of additional connections that send nothing, 0 to 1000000.")
    var idle = 0

    @Option(help: "The number of additional connections that send without a pause and read slowly, 0 to 100000.")
    var slowReaders = 0

    @Option(help: "The number of additional connections that send slowly, 0 to 100000.")
    var slowWriters = 0

    @Option(help: "The interval at which a slow connection reads or sends, for example 100ms or 1s.")
    var slowInterval = DurationArgument(.seconds(1))

    @Option(help: "The number of bytes a slow connection reads or sends in each interval, 1 to 65536.")
    var slowBytes = 1

    @Flag(help: "Measure the wire time: take timestamps from the kernel when it sends a request and receives a reply.")
    var kernelTimestamps = false

    @Option(
        help: "Busy-wait this long before a request is due, for example 50us, which keeps a processor busy. 0 to 1s.")
    var spin = DurationArgument(.zero)

    @Option(help: "Run on this processor only, for example 1, preferably not the server's. (default: any)")
    var processor: Int?

    @Option(help: "Open loop: a request that leaves this much later than it could is late, for example 500us.")
    var lateAfter = DurationArgument(.microseconds(500))

    @Option(help: "The time to wait for a connection, and for replies after the last request, for example 10s.")
    var timeout = DurationArgument(.seconds(10))

    @Option(help: "The seed of arrivals, sizes and bytes: the same seed repeats a load.")
    var seed: UInt64 = 1

    @Option(
        help: """
            A condition that must hold, for example p99<5ms, max<1s, mean<200us, rate>10000, service.p50<1ms or \
            wire.p99.9<2ms; may be given several times.
            """)
    var require: [Requirement] = []

    @Flag(help: "Print the result as JSON.")
    var json = false

    @Flag(help: "Print the result as CSV: a line for each percentile of each time, in nanoseconds.")
    var csv = false

    @Option(
        help: "Write the percentiles of the response time to this file, in the format of HdrHistogram's tools (.hgrm).")
    var hgrm: String?

    @Option(
        help: "Write the response times of each second to this file, in the format of HdrHistogram's tools (.hlog).")
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
            throw ValidationError("--rate must be above 0 and at most 1e9 (got \(rate))")
        }
        guard spin.duration <= .seconds(1) else { throw ValidationError("--spin must be at most 1s") }
        _ = try HostArgument.address(host, port: port, option: "the host")
        try checkCombination()
    }

    private func checkCombination() throws {
        if json, csv { throw ValidationError("--json and --csv cannot be combined") }
        if bulk, rate != nil {
            throw ValidationError("--bulk and --rate cannot be combined: --bulk sends without a pause")
        }
        if bulk, connectPerRequest {
            throw ValidationError("--bulk and --connect-per-request cannot be combined: --bulk has no single requests")
        }
        if bulk, count != nil {
            throw ValidationError(
                "--bulk and --count cannot be combined: --bulk has no single requests; give --duration")
        }
        if bulk, sizes.shares.count > 1 { throw ValidationError("--bulk takes a single --size, not a mix") }
        if connectPerRequest, inFlight > 1 {
            throw ValidationError(
                "--connect-per-request and --in-flight cannot be combined: each connection has one request")
        }
        if kernelTimestamps, bulk {
            throw ValidationError(
                "--bulk and --kernel-timestamps cannot be combined: one send contains many messages, and has one timestamp"
            )
        }
        if connections == 0 { try checkWithoutRequests() }
        if require.contains(where: { $0.needsKernelTimestamps }), !kernelTimestamps {
            throw ValidationError("--require of the wire time needs --kernel-timestamps")
        }
    }

    private func checkWithoutRequests() throws {
        guard idle + slowReaders + slowWriters > 0 else {
            throw ValidationError("--connections 0 needs --idle, --slow-readers or --slow-writers")
        }
        if rate != nil || bulk || connectPerRequest || count != nil || kernelTimestamps || !require.isEmpty {
            throw ValidationError(
                "--connections 0 sends no requests, so options about requests cannot be combined with it")
        }
    }

    func run() throws {
        let stops = try StopRequests.handlingSignals()
        try pin()
        let progress = Console.errorIsTerminal ? Monitor(LoadProgress()) : nil
        let run = LoadRun(try plan(), progress: progress) { stops.count }
        let result: LoadResult
        do throws(LoadError) {
            result = try LoadProgressLine.show(progress) { () throws(LoadError) in try run() }
        } catch { throw ProgramFailure(message: error.description) }
        let conclusion = LoadConclusion(of: result, requiring: require)
        if let hgrm { try ResultFile.write(result.response.percentileDistribution(), to: hgrm) }
        if let hlog { try ResultFile.write(result.histogramLog, to: hlog) }
        try print(result, conclusion)
        try conclusion.outcome.report()
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
        var all = LoadConnections(targets: [address], sizes: sizes)
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
            Console.write(try JSONFormat.text(of: result.document(conclusion), isIndented: true) + "\n")
        } else if csv {
            Console.write(result.csv)
        } else {
            for line in LoadText(result: result, conclusion: conclusion).lines() { Console.write(line + "\n") }
        }
    }
}
