import ArgumentParser
import LoadGenerator
import Measurements
import Reporting
import SocketAddresses
import SystemCalls
import Terminal

/// `uvbench load`: sends load to a server, checks every byte of its replies, and measures latency.
struct Load: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Send load to any server of the protocol, check every reply, and measure latency.",
        discussion: """
            Without --rate, each connection sends a request as soon as it has received the previous reply (closed \
            loop). With --rate, requests are due at times decided in advance (open loop). The response time then \
            begins when the request is due, and includes every delay after that.

            Exit codes: 0 means that every reply was correct and every --require was met. 1 means that a reply was \
            wrong, lost or unexpected, or that a --require was not met. 2 means that the command line is invalid. 3 \
            means that no conclusion is possible: the load generator was the bottleneck, or there were too few requests.
            """)

    @Argument(help: "The server's host: an IP address, or localhost.")
    var host: String

    @Argument(help: "The server's port, 1 to 65535.")
    var port: Int

    @Option(help: "Open loop: the total rate in requests per second, 0.001 to 1000000000. (default: closed loop)")
    var rate: Double?

    @Option(
        help:
            "Open loop: the arrival process, poisson (random intervals, like many users) or uniform (equal intervals)."
    )
    var arrivals = ArrivalSchedule.Arrivals.poisson

    @Flag(help: "Send messages without a pause on every connection, and measure bytes per second.")
    var bulk = false

    @Flag(help: "Open a connection for each request, and close it after the reply. The latency includes connecting.")
    var connectPerRequest = false

    @Option(name: .shortAndLong, help: "The number of connections that send requests, 0 to 1000000.")
    var connections = 10

    @Option(help: "The maximum number of requests in flight on each connection, 1 to 4096.")
    var inFlight = 1

    @Option(
        name: [.customShort("s"), .customLong("size")],
        help: "Message size in bytes, 1 to 16777216, or a mix of sizes with weights, for example 16:90,4096:9,65536:1.")
    var sizes = PayloadSizes(byteCount: 16)

    @Option(
        help:
            "The duration of the measurement, for example 500ms, 10s or 1m. (default: 10s, unless --count is given)"
    )
    var duration: DurationArgument?

    @Option(
        help: """
            The number of measured requests, at least 1. With --duration, the load ends when this number or the \
            duration is reached, whichever comes first.
            """)
    var count: Int?

    @Option(help: "The duration of the warm-up before the measurement, for example 500ms or 2s.")
    var warmUp = DurationArgument(.seconds(1))

    @Option(help: "The number of additional connections that send nothing, 0 to 1000000.")
    var idle = 0

    @Option(help: "The number of additional connections that send without a pause and read slowly, 0 to 100000.")
    var slowReaders = 0

    @Option(help: "The number of additional connections that send slowly, 0 to 100000.")
    var slowWriters = 0

    @Option(help: "The time between two reads or sends of a slow connection, for example 100ms or 1s.")
    var slowInterval = DurationArgument(.seconds(1))

    @Option(help: "The number of bytes that a slow connection reads or sends at a time, 1 to 65536.")
    var slowBytes = 1

    @Flag(help: "Measure the wire time: the kernel records when it sends a request and when it receives the reply.")
    var kernelTimestamps = false

    @Option(
        help: "Spin instead of sleeping for this long before each request is due, for example 50us. 0 to 1s.")
    var spin = DurationArgument(.zero)

    @Option(
        help: """
            Run the load generator on this processor only, for example 1. Choose a processor that the server does not \
            use. (default: any)
            """)
    var processor: Int?

    @Option(
        help: """
            Open loop: count a request as late if it is sent more than this long after the earliest time at which it \
            could be sent, for example 500us.
            """)
    var lateAfter = DurationArgument(.microseconds(500))

    @Option(help: "The longest time to wait for a connection, and for replies after the last request, for example 10s.")
    var timeout = DurationArgument(.seconds(10))

    @Option(help: "The seed of arrivals, sizes and bytes. A load with the same seed sends the same requests.")
    var seed: UInt64 = 1

    @Option(
        help: """
            A requirement that the result must meet, for example p99<5ms, max<1s, mean<200us, rate>10000, \
            service.p50<1ms or wire.p99.9<2ms. May be given several times.
            """)
    var require: [Requirement] = []

    @Flag(help: "Print the result as JSON.")
    var json = false

    @Flag(help: "Print the result as CSV, with one line for each percentile of each kind of time, in nanoseconds.")
    var csv = false

    @Option(
        help: "Write the percentiles of the response time to this file, in the format of HdrHistogram's tools (.hgrm).")
    var hgrm: String?

    @Option(
        help: """
            Write the response times of each second to this file, in the format of HdrHistogram's tools (.hlog). The \
            intervals are longer than a second if --duration is above 2m.
            """)
    var hlog: String?

    /// The maximum number of requests in flight on all connections together.
    ///
    /// The number is limited, because memory for these requests is allocated in advance.
    private static let maxInFlight = 1 << 20

    func validate() throws {
        try ValidRange.check(port, 1...65535, "the port")
        try ValidRange.check(connections, 0...1_000_000, "--connections")
        try ValidRange.check(inFlight, LoadConnections.depths, "--in-flight")
        try ValidRange.check(idle, 0...1_000_000, "--idle")
        try ValidRange.check(slowReaders, 0...100_000, "--slow-readers")
        try ValidRange.check(slowWriters, 0...100_000, "--slow-writers")
        try ValidRange.check(slowBytes, 1...65536, "--slow-bytes")
        if let count { try ValidRange.check(count, 1...Int.max, "--count") }
        if let rate { try ValidRange.check(rate, 0.001...1e9, "--rate") }
        guard connections * inFlight <= Load.maxInFlight else {
            throw ValidationError(
                "--connections times --in-flight must be at most \(Load.maxInFlight) (got \(connections * inFlight))")
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
            throw ValidationError(
                "--bulk and --connect-per-request cannot be combined: --bulk has no individual requests")
        }
        if bulk, count != nil {
            throw ValidationError(
                "--bulk and --count cannot be combined: --bulk has no individual requests; give --duration")
        }
        if bulk, sizes.shares.count > 1 { throw ValidationError("--bulk requires a single --size, not a mix") }
        if connectPerRequest, inFlight > 1 {
            throw ValidationError(
                "--connect-per-request and --in-flight cannot be combined: each connection has one request")
        }
        if kernelTimestamps, bulk {
            throw ValidationError(
                "--bulk and --kernel-timestamps cannot be combined: in bulk, one timestamp applies to many messages"
            )
        }
        if connections == 0 { try checkWithoutRequests() }
        if require.contains(where: { $0.needsKernelTimestamps }), !kernelTimestamps {
            throw ValidationError("a --require for the wire time needs --kernel-timestamps")
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
            try StandardOutput.write(JSONFormat.text(of: result.document(conclusion), isIndented: true) + "\n")
        } else if csv {
            try StandardOutput.write(result.csv)
        } else {
            let lines = LoadText(result: result, conclusion: conclusion).lines()
            for line in lines { try StandardOutput.write(line + "\n") }
        }
    }
}
