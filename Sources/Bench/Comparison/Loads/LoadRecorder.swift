internal import LoadGenerator
internal import Measurements

/// Collects the measurements of one load over all starts.
struct LoadRecorder {
    let load: ComparedLoad
    let terms: BlockComparer.Terms

    private(set) var servers: [ServerTally]
    private(set) var blocks: [BlockResult] = []
    private(set) var lag = LatencyHistogram()
    private(set) var lateCount = 0
    private(set) var samples: [PlatformSample] = []
    /// The total duration of all blocks, in seconds.
    private(set) var seconds = 0.0
    private(set) var generator = GeneratorTime()
    var warmUpCount = 0
    /// The reason why the load could not be measured; `nil` if it was measured.
    var failure: String?

    /// A request is late if it is sent more than this many nanoseconds after the earliest time at which it could be
    /// sent.
    static let lateness: UInt64 = 500_000

    init(_ load: ComparedLoad, plan: ComparisonPlan) {
        self.load = load
        terms = plan.terms(load)
        let clock = terms.endpoint.clock
        let length = plan.blockSeconds(load) * Double(max(1, plan.blocks))
        servers = plan.subjects.map {
            ServerTally(
                heatMap: HeatMap(
                    variant: $0.name, clock: clock, columns: 80, columnSeconds: length / 80, rows: 32,
                    lowestNanoseconds: 4_000, highestNanoseconds: 40_000_000))
        }
    }

    /// Adds the costs of one start.
    mutating func add(_ start: LoadBlocks.Costs) {
        generator.add(start.generator)
        for index in servers.indices {
            servers[index].faults.add(start.faults[index])
            servers[index].cost.add(start.servers[index])
        }
    }

    /// Adds the measurements of a block.
    ///
    /// - Parameters:
    ///   - start: the index of the start that the block belongs to.
    ///   - platform: the platform samples taken during the block.
    mutating func add(
        _ block: LoadBlocks.Block, start: Int, platform: [PlatformSample], rule: DisturbanceRule
    ) {
        for sample in block.samples { record(sample, block.begin) }
        let pairs = load.shape == .paired ? pairs(block.samples) : []
        let variants = servers.indices.map { target in
            servers[target].endBlock(terms.percentiles, target == 0 || pairs.isEmpty ? nil : pairs[target])
        }
        blocks.append(
            BlockResult(start: start, disturbances: rule.disturbances(in: platform), variants: variants))
        samples += platform
        seconds += block.seconds
    }

    private mutating func record(_ sample: RequestSample, _ begin: UInt64) {
        let target = Int(sample.target)
        servers[target].record(sample)
        if load.shape == .paired {
            lag.record(nanoseconds: sample.lag)
            if sample.lag > LoadRecorder.lateness { lateCount += 1 }
        }
        guard !sample.isCold, let latency = sample.latency(terms.endpoint.clock) else { return }
        let offset = sample.intended > begin ? Double(sample.intended - begin) / 1e9 : 0
        servers[target].heatMap?.record(atSeconds: seconds + offset, nanoseconds: Double(latency))
    }

    /// Compares the latencies of requests in the same group and returns a tally for each server.
    ///
    /// Each request is compared with its group's request to the reference.
    private func pairs(_ samples: [RequestSample]) -> [PairTally] {
        let last = samples.map(\.slot).max() ?? 0
        var reference = [UInt64](repeating: 0, count: Int(last) / servers.count + 1)
        for sample in samples where sample.target == 0 && !sample.isCold {
            reference[Int(sample.slot) / servers.count] = sample.latency(terms.endpoint.clock) ?? 0
        }
        var tallies = [PairTally](repeating: PairTally(), count: servers.count)
        for sample in samples where sample.target != 0 && !sample.isCold {
            let other = reference[Int(sample.slot) / servers.count]
            if other > 0, let latency = sample.latency(terms.endpoint.clock) {
                tallies[Int(sample.target)].record(reference: other, candidate: latency)
            }
        }
        return tallies
    }
}

/// The load generator's use of its processor while connections were open.
///
/// The values are the time for which connections were open, the time for which the load generator ran, and the time for
/// which it waited for a processor. All times are in nanoseconds.
struct GeneratorTime {
    var wall: UInt64 = 0
    var ran: UInt64 = 0
    var waited: UInt64 = 0

    mutating func add(_ other: GeneratorTime) {
        wall += other.wall
        ran += other.ran
        waited += other.waited
    }
}
