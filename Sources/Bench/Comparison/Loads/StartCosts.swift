internal import LoadGenerator
internal import Measurements

/// What one load cost in one start, and what was wrong with the replies.
struct StartCosts {
    /// For each server.
    var servers: [CostTally]
    var faults: [Faults]
    var generator = GeneratorTime()
}

/// How long connections were open, and how much of it the load generator ran and waited for a processor, in nanoseconds.
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

/// What a server spent while it was measured.
struct CostTally {
    var processorSeconds = 0.0
    var contextSwitches = 0
    /// How many requests these two were spent on.
    var requestCount = 0
    var residentBytesPerConnection: Double?
    var systemCallsPerRequest: Double?
    var threads: Int?

    /// Adds another start.
    ///
    /// Figures that are not sums are those of the last start that has them.
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
