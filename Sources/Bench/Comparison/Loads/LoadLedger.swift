internal import LoadGenerator
internal import Measurements

/// What one load has found out so far about each contestant, over all starts.
struct LoadLedger {
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
    /// How long all blocks took together, in seconds.
    private(set) var seconds = 0.0
    private(set) var contended: [Int]
    var faults: [Faults]
    var costs: [CostTally]
    var warmUpCount = 0
    /// For how long connections were open, and how much of it the generator ran and waited for a processor, in nanoseconds.
    var generator: (wall: UInt64, ran: UInt64, waited: UInt64) = (0, 0, 0)
    /// Why the load could not be measured; `nil` where it could.
    var failure: String?

    // Of the block that is being recorded, with memory that is used again.
    private var blockResponse: [LatencyHistogram]
    private var blockWire: [LatencyHistogram]

    /// How much later than it could a request may leave and not be late.
    static let lateness: UInt64 = 500_000

    init(_ load: ComparedLoad, plan: ComparisonPlan) {
        self.load = load
        terms = plan.terms(load)
        let names = plan.contestants.map(\.name)
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

    /// The medians of a window of warm-up; nothing of it is kept but its size.
    mutating func medians(ofWindow records: [SlotRecord]) -> [Double?] {
        fill(records)
        warmUpCount += records.count
        return (0..<count).map { variant in
            let histogram = terms.endpoint.clock == .wire ? blockWire[variant] : blockResponse[variant]
            return histogram.quantile(at: .p50).map { Double($0) }
        }
    }

    /// Takes a block.
    ///
    /// - Parameters:
    ///   - records: its requests, those that do not count left out.
    ///   - begin: when it began, in nanoseconds of the monotonic clock.
    ///   - runSeconds: the same, in seconds after the run began.
    ///   - length: how long it was, in seconds.
    ///   - samples: the looks at the platform during the block.
    mutating func add(
        _ records: [SlotRecord], start: Int, begin: UInt64, runSeconds: Double, length: Double,
        samples: [PlatformSample], rule: DisturbanceRule
    ) {
        fill(records)
        let pairs = load.shape == .paired ? tallies(records) : []
        for record in records { keep(record, begin) }
        let variants = (0..<count).map { variant in
            VariantBlock(
                response: blockResponse[variant], wire: blockWire[variant].count > 0 ? blockWire[variant] : nil,
                percentiles: terms.percentiles, pairs: variant == 0 || pairs.isEmpty ? nil : pairs[variant])
        }
        for variant in 0..<count {
            response[variant].merge(blockResponse[variant])
            wire[variant].merge(blockWire[variant])
        }
        blocks.append(
            BlockResult(
                start: start, beganSeconds: runSeconds, lengthSeconds: length,
                disturbances: rule.disturbances(in: samples), variants: variants))
        self.samples += samples
        seconds += length
    }

    private mutating func fill(_ records: [SlotRecord]) {
        for variant in 0..<count {
            blockResponse[variant].reset()
            blockWire[variant].reset()
        }
        for record in records where !record.isCold {
            blockResponse[Int(record.variant)].record(nanoseconds: record.responseTime)
            if let time = record.wireTime { blockWire[Int(record.variant)].record(nanoseconds: time) }
        }
    }

    private mutating func keep(_ record: SlotRecord, _ begin: UInt64) {
        let variant = Int(record.variant)
        if record.isContended { contended[variant] += 1 }
        if load.shape == .paired {
            lag.record(nanoseconds: record.lag)
            if record.lag > LoadLedger.lateness { lateCount += 1 }
        }
        if record.isCold { return cold[variant].record(nanoseconds: record.responseTime) }
        guard let latency = latency(record), heatMaps.indices.contains(variant) else { return }
        let offset = record.intended > begin ? Double(record.intended - begin) / 1e9 : 0
        heatMaps[variant].record(atSeconds: seconds + offset, nanoseconds: Double(latency))
    }

    private func latency(_ record: SlotRecord) -> UInt64? {
        terms.endpoint.clock == .wire ? record.wireTime : record.responseTime
    }

    /// How the requests of each contestant fared beside their neighbours to the reference.
    private func tallies(_ records: [SlotRecord]) -> [PairTally] {
        let last = records.map(\.slot).max() ?? 0
        var reference = [UInt64](repeating: 0, count: Int(last) / count + 1)
        for record in records where record.variant == 0 && !record.isCold {
            reference[Int(record.slot) / count] = latency(record) ?? 0
        }
        var tallies = [PairTally](repeating: PairTally(), count: count)
        for record in records where record.variant != 0 && !record.isCold {
            let other = reference[Int(record.slot) / count]
            if other > 0, let latency = latency(record) {
                tallies[Int(record.variant)].record(reference: other, candidate: latency)
            }
        }
        return tallies
    }
}

/// What a server has spent while it was measured.
struct CostTally {
    var processorSeconds = 0.0
    var contextSwitches = 0
    /// Requests that the two above are of.
    var paidRequests = 0
    var residentBytesPerConnection: Double?
    var systemCallsPerRequest: Double?
    var threads: Int?

    /// The cost as it is reported; `nil` where nothing is known.
    var cost: ServerCost? {
        guard threads != nil else { return nil }
        var cost = ServerCost()
        if paidRequests > 0 {
            cost.processorMicrosecondsPerRequest = processorSeconds * 1e6 / Double(paidRequests)
            cost.contextSwitchesPerRequest = Double(contextSwitches) / Double(paidRequests)
        }
        cost.systemCallsPerRequest = systemCallsPerRequest
        cost.residentBytesPerConnection = residentBytesPerConnection
        cost.threads = threads
        return cost
    }
}
