public import Measurements

/// The plan of a comparison: the servers, the loads, and the number of blocks and requests.
///
/// The plan is fixed before the first measurement.
public struct ComparisonPlan: Sendable {
    /// The servers to compare.
    ///
    /// The first server is the reference.
    public var servers: [ServerSpecification]
    /// The loads to measure.
    ///
    /// The report's headline is about the first load.
    public var loads: [ComparedLoad] = [.one]
    /// The number of starts: all servers are started this many times.
    public var starts = 3
    /// The total number of blocks for each load, over all starts.
    public var blocks = BlockRules.defaultBlocks
    /// The rate of an open loop: the number of requests per second to all servers together.
    public var rate = 2000.0
    /// The arrival process of an open loop.
    public var arrivals = ArrivalSchedule.Arrivals.poisson
    /// The number of requests to each server in a block of an open loop.
    ///
    /// With `nil`, a block has as many requests as fit into `time`, but at least `BlockRules.minRequests`.
    public var requests: Int?
    /// The time available for the whole comparison.
    ///
    /// The blocks share what remains of this time after the starts, the warm-ups and the other measurements. If the
    /// blocks would be too short for a verdict, the comparison uses longer blocks and takes more time.
    public var time = Duration.seconds(55)
    /// The percentile that verdicts compare.
    public var percentile = Percentile.p99
    /// The kind of latency that verdicts compare; with `nil`, each load uses its default kind.
    public var clock: LatencyClock?
    /// The largest difference that does not matter.
    public var margin = Margin.standard
    /// The rates at which each server is loaded to find its knee (`RateLadder.Knee`).
    ///
    /// If the list is empty, no knee is measured.
    public var rates: [Double] = []
    /// The seed of every schedule.
    public var seed: UInt64 = 1
    /// The processor on which all servers run, and the processor on which the load generator runs.
    ///
    /// With `nil`, servers and load generator run on any processor.
    public var processors: (servers: Int, load: Int)?
    /// Whether to run simulated clients and show their time lines as a chart in the report.
    public var drawsLanes = false
    /// Facts about the machine and the program for the report.
    public var environment: [ComparisonReport.Fact] = []
    /// The program and its version.
    public var tool = "uvbench"
    /// The exact command line.
    public var command = ""
    /// The path of `uvserver`, which serves the models.
    public var uvserver = ""
    /// The path of `uvbench`, which contains the floor server.
    public var uvbench = ""

    /// Makes a plan.
    ///
    /// A comparison with the default values takes less than a minute.
    public init(servers: [ServerSpecification]) { self.servers = servers }

    /// The minimum and maximum length of a slice, in seconds.
    ///
    /// Only some loads are measured in slices.
    static let slices = 0.1...0.25

    /// All servers under load: the compared servers, the control and the floor.
    var subjects: [ServerSpecification] {
        let control = ServerSpecification(name: "\(servers[0].name) again", source: servers[0].source)
        return servers + [control, ServerSpecification(name: "floor", source: .floor)]
    }

    /// The index of the control in `subjects`.
    ///
    /// The control is a second copy of the reference.
    var control: Int { servers.count }
    /// The index of the floor in `subjects`.
    ///
    /// The floor does as little as possible.
    var floor: Int { servers.count + 1 }

    /// Returns the length of each of the load's blocks, in seconds.
    func blockSeconds(_ load: ComparedLoad) -> Double {
        let count = Double(subjects.count)
        let share = max(0, time / .seconds(1) - overheadSeconds) / Double(loads.count * max(1, blocks))
        guard load.shape == .paired else {
            let least =
                load.shape == .connecting ? 2 * ComparisonPlan.slices.lowerBound : ComparisonPlan.slices.lowerBound
            return count * min(max(share / count, least), ComparisonPlan.slices.upperBound)
        }
        let wanted = requests.map { Double($0) } ?? max(share * rate / count, Double(BlockRules.minRequests))
        return wanted * count / rate
    }

    /// Returns the number of requests to each server in a block of an open loop.
    func requestCount(_ load: ComparedLoad) -> Int {
        max(1, Int((blockSeconds(load) * rate / Double(subjects.count)).rounded()))
    }

    /// The estimated duration of everything except the blocks, in seconds.
    ///
    /// The estimate assumes that every warm-up uses the maximum number of windows.
    private var overheadSeconds: Double {
        let count = Double(subjects.count)
        let warmUps = loads.reduce(0) { sum, load in
            let window = load.shape == .paired ? Double(WarmUpWindow.requests) / rate : WarmUpWindow.sliceSeconds
            return sum + 0.2 + window * count * Double(WarmUpWindow.most)
        }
        let climbs = Double(rates.count * (servers.count + 1) * RateClimb.rounds) * (RateClimb.seconds + 0.2)
        let lanes = drawsLanes ? 1.2 * Double(servers.count) : 0
        return Double(starts) * (0.4 + 0.15 * count + warmUps) + climbs + lanes + 2
    }

    /// The estimated duration of the comparison.
    public var expectedTime: Duration {
        .seconds(loads.reduce(overheadSeconds) { $0 + blockSeconds($1) * Double(blocks) })
    }

    /// Returns the number of blocks that are measured in one start.
    func blockCount(ofStart start: Int) -> Int { blocks / starts + (start < blocks % starts ? 1 : 0) }

    /// Returns the percentile, the margin and the other terms of the verdicts on a load.
    func terms(_ load: ComparedLoad) -> BlockComparer.Terms {
        var terms = BlockComparer.Terms()
        terms.endpoint = Endpoint(percentile: percentile, clock: clock ?? load.clock)
        if !terms.percentiles.contains(percentile) { terms.percentiles = (terms.percentiles + [percentile]).sorted() }
        terms.margin = margin
        terms.seed = seed
        return terms
    }
}

/// The number and the size of the windows of a warm-up.
enum WarmUpWindow {
    /// The minimum and maximum number of windows.
    static let (least, most) = (3, 8)
    /// The number of requests to each server in a window of an open loop.
    static let requests = 100
    /// The length of each server's slice in a window, in seconds.
    static let sliceSeconds = 0.05
}
