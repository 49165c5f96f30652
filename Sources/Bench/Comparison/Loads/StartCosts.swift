internal import LoadGenerator
internal import Measurements

/// The resources that one load used in one start, and the faults of its replies.
struct StartCosts {
    /// For each server.
    var servers: [CostTally]
    var faults: [Faults]
    var generator = GeneratorTime()
}

/// The time for which connections were open, and how much of it the load generator ran or waited for a processor, in
/// nanoseconds.
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
