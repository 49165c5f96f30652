internal import LoadGenerator
internal import Measurements

/// Collects the measurements of one server under one load, over all starts.
struct ServerTally {
    var response = LatencyHistogram()
    var wire = LatencyHistogram()
    /// The response times of the first request of each connection.
    var cold = LatencyHistogram()
    var contendedCount = 0
    var faults = Faults()
    var cost = CostTally()
    var heatMap: HeatMap?

    // The two histograms of the current block. They are reused for every block.
    var blockResponse = LatencyHistogram()
    var blockWire = LatencyHistogram()

    /// Records a request of the current block.
    mutating func record(_ sample: RequestSample) {
        if sample.isContended { contendedCount += 1 }
        if sample.isCold { return cold.record(nanoseconds: sample.responseTime) }
        blockResponse.record(nanoseconds: sample.responseTime)
        if let time = sample.wireTime { blockWire.record(nanoseconds: time) }
    }

    /// Adds the current block to the totals and returns the block's result.
    mutating func endBlock(_ percentiles: [Percentile], _ pairs: PairTally?) -> VariantBlock {
        defer {
            blockResponse.reset()
            blockWire.reset()
        }
        response.merge(blockResponse)
        wire.merge(blockWire)
        return VariantBlock(
            response: blockResponse, wire: blockWire.count > 0 ? blockWire : nil, percentiles: percentiles,
            pairs: pairs)
    }
}

/// The resources that a server used during the measurement.
struct CostTally {
    var processorSeconds = 0.0
    var contextSwitches = 0
    /// The number of requests for which the processor time and the context switches were counted.
    var requestCount = 0
    var residentBytesPerConnection: Double?
    var systemCallsPerRequest: Double?
    var threads: Int?

    /// Adds the costs of another start.
    ///
    /// `processorSeconds`, `contextSwitches` and `requestCount` are summed over all starts. Every other value comes
    /// from the last start in which it is known.
    mutating func add(_ other: CostTally) {
        processorSeconds += other.processorSeconds
        contextSwitches += other.contextSwitches
        requestCount += other.requestCount
        residentBytesPerConnection = other.residentBytesPerConnection ?? residentBytesPerConnection
        systemCallsPerRequest = other.systemCallsPerRequest ?? systemCallsPerRequest
        threads = other.threads ?? threads
    }

    /// The cost for the report; `nil` if nothing is known.
    var cost: ServerCost? {
        guard threads != nil else { return nil }
        var cost = ServerCost()
        if requestCount > 0 {
            cost.processorMicrosecondsPerRequest = processorSeconds * 1e6 / Double(requestCount)
            cost.contextSwitchesPerRequest = Double(contextSwitches) / Double(requestCount)
        }
        cost.systemCallsPerRequest = systemCallsPerRequest
        cost.residentBytesPerConnection = residentBytesPerConnection
        cost.threads = threads
        return cost
    }
}
