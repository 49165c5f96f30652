public import Measurements

/// What is compared, under what, how often; settled before anything is measured.
public struct ComparisonPlan: Sendable {
    /// The servers; the first is the reference.
    public var servers: [ServerSpecification]
    /// The loads, the one that the headline is about first.
    public var loads: [ComparedLoad] = [.one]
    /// How often all servers are started.
    public var starts = 3
    /// How many blocks there are for each load, over all starts.
    public var blocks = BlockRules.defaultBlocks
    /// Requests a second of an open loop, to all servers together.
    public var rate = 2000.0
    /// How requests of an open loop follow each other.
    public var arrivals = ArrivalSchedule.Arrivals.poisson
    /// How many requests each server has in a block of an open loop; `nil` for as many as the time holds.
    public var requests: Int?
    /// How long everything may take; blocks are not made too short for it.
    public var time = Duration.seconds(55)
    /// The percentile that verdicts are about.
    public var percentile = Percentile.p99
    /// The latency that verdicts are about; `nil` for what the load is made for.
    public var clock: LatencyClock?
    /// The difference that does not matter.
    public var margin = Margin.standard
    /// Rates at which each server is tried for its knee; none are tried where it is empty.
    public var rates: [Double] = []
    /// Decides every schedule.
    public var seed: UInt64 = 1
    /// The processor that servers run on, and the one that the load runs on; `nil` for any.
    public var processors: (servers: Int, load: Int)?
    /// Whether simulated clients are run for the picture of their lanes.
    public var drawsLanes = false
    /// What the report tells of the machine and the program.
    public var environment: [ComparisonReport.Fact] = []
    /// The program and its version.
    public var tool = "uvserver"
    /// The exact command.
    public var command = ""
    /// The file of the program, which serves the models.
    public var program = ""

    /// Makes a plan; the defaults take less than a minute.
    public init(servers: [ServerSpecification]) { self.servers = servers }

    /// How long a slice of time is, where servers are loaded in slices.
    static let slices = 0.1...0.25

    /// Everything that is loaded: the servers, a second copy of the reference, and the null server.
    var contestants: [ServerSpecification] {
        let twin = ServerSpecification(name: "\(servers[0].name) again", source: servers[0].source)
        return servers + [twin, ServerSpecification(name: "null", source: .null)]
    }

    var twin: Int { servers.count }
    var floor: Int { servers.count + 1 }

    /// How long a block of a load is, in seconds.
    func blockSeconds(_ load: ComparedLoad) -> Double {
        let count = Double(contestants.count)
        let spent = Double(starts) * (0.5 + 0.1 * count + 1.5 * Double(loads.count)) + extraSeconds
        let share = max(0, time / .seconds(1) - spent) / Double(loads.count * max(1, blocks))
        guard load.shape == .paired else {
            return count * min(max(share / count, ComparisonPlan.slices.lowerBound), ComparisonPlan.slices.upperBound)
        }
        let wanted = requests.map { Double($0) } ?? max(share * rate / count, Double(BlockRules.minRequests))
        return wanted * count / rate
    }

    /// How many requests each server has in a block of an open loop.
    func requestCount(_ load: ComparedLoad) -> Int {
        max(1, Int((blockSeconds(load) * rate / Double(contestants.count)).rounded()))
    }

    private var extraSeconds: Double {
        let ladder = Double(rates.count * (servers.count + 1) * RateClimb.rounds) * RateClimb.seconds
        return ladder + (drawsLanes ? 1.2 * Double(servers.count) : 0) + 2
    }

    /// About how long everything takes.
    public var expectedTime: Duration {
        let blocks = loads.reduce(0) { $0 + blockSeconds($1) * Double(self.blocks) }
        let starts = Double(self.starts) * (0.5 + 0.1 * Double(contestants.count) + 1.5 * Double(loads.count))
        return .seconds(blocks + starts + extraSeconds)
    }

    /// The blocks of a start.
    func blockCount(ofStart start: Int) -> Int { blocks / starts + (start < blocks % starts ? 1 : 0) }

    /// How verdicts about a load are reached.
    func terms(_ load: ComparedLoad) -> BlockComparer.Terms {
        var terms = BlockComparer.Terms()
        terms.endpoint = Endpoint(percentile: percentile, clock: clock ?? load.clock)
        if !terms.percentiles.contains(percentile) { terms.percentiles = (terms.percentiles + [percentile]).sorted() }
        terms.margin = margin
        terms.seed = seed
        return terms
    }
}
