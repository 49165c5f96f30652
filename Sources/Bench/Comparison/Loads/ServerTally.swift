internal import LoadGenerator
internal import Measurements

/// The measurements of one server under one load, over all starts.
struct ServerTally {
    var response = LatencyHistogram()
    var wire = LatencyHistogram()
    /// The first request of each connection.
    var cold = LatencyHistogram()
    var contendedCount = 0
    var faults = Faults()
    var cost = CostTally()
    var heatMap: HeatMap?

    // Histograms of one block, reused for every block.
    var blockResponse = LatencyHistogram()
    var blockWire = LatencyHistogram()

    /// Records a request of a block.
    mutating func record(_ sample: RequestSample) {
        if sample.isContended { contendedCount += 1 }
        if sample.isCold { return cold.record(nanoseconds: sample.responseTime) }
        blockResponse.record(nanoseconds: sample.responseTime)
        if let time = sample.wireTime { blockWire.record(nanoseconds: time) }
    }

    /// Adds the block to the whole, and returns its quantiles.
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
    /// The number of requests for which these two resources were used.
    var requestCount = 0
    var residentBytesPerConnection: Double?
    var systemCallsPerRequest: Double?
    var threads: Int?

    /// Adds another start.
    ///
    /// Values that cannot be added are taken from the last start that has them.
    mutating func add(_ other: CostTally) {
        processorSeconds += other.processorSeconds
        contextSwitches += other.contextSwitches
        requestCount += other.requestCount
        residentBytesPerConnection = other.residentBytesPerConnection ?? residentBytesPerConnection
        systemCallsPerRequest = other.systemCallsPerRequest ?? systemCallsPerRequest
        threads = other.threads ?? threads
    }

    /// The cost as it is reported; `nil` if nothing is known.
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
