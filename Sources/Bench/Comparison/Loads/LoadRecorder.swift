internal import LoadGenerator
internal import Measurements

/// The measurements of one load over all starts, for each server.
struct LoadRecorder {
    let load: ComparedLoad
    let terms: BlockComparer.Terms
    private let count: Int

    private(set) var blocks: [BlockResult] = []
    private(set) var response: [LatencyHistogram]
    private(set) var wire: [LatencyHistogram]
    private(set) var cold: [LatencyHistogram]
    private(set) var lag = LatencyHistogram()
    private(set) var lateCount = 0
    private(set) var heatMaps: [HeatMap]
    private(set) var samples: [PlatformSample] = []
    /// The total duration of all blocks, in seconds.
    private(set) var seconds = 0.0
    private(set) var contended: [Int]
    private(set) var faults: [Faults]
    private(set) var costs: [CostTally]
    private(set) var generator = GeneratorTime()
    private(set) var warmUpCount = 0
    /// The reason the load could not be measured; `nil` if it was.
    private(set) var failure: String?

    // Histograms of one block, reused for every block.
    private var blockResponse: [LatencyHistogram]
    private var blockWire: [LatencyHistogram]

    /// A request is late if it is sent this many nanoseconds later than possible.
    static let lateness: UInt64 = 500_000

    init(_ load: ComparedLoad, plan: ComparisonPlan) {
        self.load = load
        terms = plan.terms(load)
        let names = plan.subjects.map(\.name)
        count = names.count
        func histograms() -> [LatencyHistogram] { names.map { _ in LatencyHistogram() } }
        response = histograms()
        wire = histograms()
        cold = histograms()
        blockResponse = histograms()
        blockWire = histograms()
        contended = names.map { _ in 0 }
        faults = names.map { _ in Faults() }
        costs = names.map { _ in CostTally() }
        let clock = terms.endpoint.clock
        let length = plan.blockSeconds(load) * Double(max(1, plan.blocks))
        heatMaps = names.compactMap {
            HeatMap(
                variant: $0, clock: clock, columns: 80, columnSeconds: length / 80, rows: 32,
                lowestNanoseconds: 4_000, highestNanoseconds: 40_000_000)
        }
    }

    /// Records the reason that the load could not be measured.
    mutating func fail(_ reason: String) { failure = reason }

    /// Counts the requests of a warm-up.
    mutating func addWarmUp(_ requestCount: Int) { warmUpCount += requestCount }

    /// Adds the costs of one start.
    mutating func add(_ start: StartCosts) {
        generator.add(start.generator)
        for index in 0..<count {
            faults[index].add(start.faults[index])
            costs[index].add(start.servers[index])
        }
    }

    /// Adds a block.
    ///
    /// - Parameters:
    ///   - start: the start that it belongs to.
    ///   - platform: the samples of the platform during the block.
    mutating func add(
        _ block: LoadBlocks.Block, start: Int, platform: [PlatformSample], rule: DisturbanceRule
    ) {
        for target in 0..<count {
            blockResponse[target].reset()
            blockWire[target].reset()
        }
        for sample in block.samples { record(sample, block.begin) }
        let pairs = load.shape == .paired ? pairs(block.samples) : []
        let variants = (0..<count).map { target in
            VariantBlock(
                response: blockResponse[target], wire: blockWire[target].count > 0 ? blockWire[target] : nil,
                percentiles: terms.percentiles, pairs: target == 0 || pairs.isEmpty ? nil : pairs[target])
        }
        for target in 0..<count {
            response[target].merge(blockResponse[target])
            wire[target].merge(blockWire[target])
        }
        blocks.append(
            BlockResult(
                start: start, disturbances: rule.disturbances(in: platform), variants: variants))
        samples += platform
        seconds += block.seconds
    }

    private mutating func record(_ sample: RequestSample, _ begin: UInt64) {
        let target = Int(sample.target)
        if sample.isContended { contended[target] += 1 }
        if load.shape == .paired {
            lag.record(nanoseconds: sample.lag)
            if sample.lag > LoadRecorder.lateness { lateCount += 1 }
        }
        if sample.isCold { return cold[target].record(nanoseconds: sample.responseTime) }
        blockResponse[target].record(nanoseconds: sample.responseTime)
        if let time = sample.wireTime { blockWire[target].record(nanoseconds: time) }
        guard let latency = sample.latency(terms.endpoint.clock), heatMaps.indices.contains(target) else { return }
        let offset = sample.intended > begin ? Double(sample.intended - begin) / 1e9 : 0
        heatMaps[target].record(atSeconds: seconds + offset, nanoseconds: Double(latency))
    }

    /// Compares each server's requests with the request to the reference in the same group.
    private func pairs(_ samples: [RequestSample]) -> [PairTally] {
        let last = samples.map(\.slot).max() ?? 0
        var reference = [UInt64](repeating: 0, count: Int(last) / count + 1)
        for sample in samples where sample.target == 0 && !sample.isCold {
            reference[Int(sample.slot) / count] = sample.latency(terms.endpoint.clock) ?? 0
        }
        var tallies = [PairTally](repeating: PairTally(), count: count)
        for sample in samples where sample.target != 0 && !sample.isCold {
            let other = reference[Int(sample.slot) / count]
            if other > 0, let latency = sample.latency(terms.endpoint.clock) {
                tallies[Int(sample.target)].record(reference: other, candidate: latency)
            }
        }
        return tallies
    }
}
