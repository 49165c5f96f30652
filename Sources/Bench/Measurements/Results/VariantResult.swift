/// What one server did under a load, over all blocks.
public struct VariantResult: Hashable, Codable, Sendable {
    /// What the server is there for.
    public enum Role: String, Hashable, Codable, Sendable {
        /// What others are compared with.
        case reference
        /// What is compared with the reference.
        case candidate
        /// A second copy of the reference, compared with the first: the A/A test.
        case twin
        /// A server that does next to nothing: no latency can be below its.
        case floor
    }

    /// The server's name.
    public var name: String
    /// What the server is there for.
    public var role: Role
    /// The latencies of each clock.
    public var latencies: [LatencySummary]
    /// The first request of each connection, which does not count above.
    public var cold: LatencySummary?
    /// What the server spent.
    public var cost: ServerCost?
    /// What went wrong.
    public var faults: ExchangeFaults

    /// Makes a result.
    public init(
        name: String, role: Role, latencies: [LatencySummary], cold: LatencySummary? = nil, cost: ServerCost? = nil,
        faults: ExchangeFaults = ExchangeFaults()
    ) {
        self.name = name
        self.role = role
        self.latencies = latencies
        self.cold = cold
        self.cost = cost
        self.faults = faults
    }

    /// The latencies of a clock; `nil` where it was not measured.
    public func latency(_ clock: LatencyClock) -> LatencySummary? { latencies.first { $0.clock == clock } }
}

/// What a server spent (`/proc/PID`).
public struct ServerCost: Hashable, Codable, Sendable {
    /// Processor time for each request, in microseconds.
    public var processorMicrosecondsPerRequest: Double?
    /// Context switches for each request, of its own will or not.
    public var contextSwitchesPerRequest: Double?
    /// System calls for each request, counted in a pass that measured nothing else.
    public var systemCallsPerRequest: Double?
    /// Resident memory for each connection, in bytes.
    public var residentBytesPerConnection: Double?
    /// How many threads the server had.
    public var threads: Int?

    /// Makes a cost of which nothing is known yet.
    public init() {}
}

/// What went wrong between a server and its load; all zero in a run that counts.
public struct ExchangeFaults: Hashable, Codable, Sendable {
    /// Bytes that were another's, or nobody's.
    public var wrongBytes: UInt64 = 0
    /// Bytes of answers that never came.
    public var lostBytes: UInt64 = 0
    /// Bytes beyond the answers.
    public var surplusBytes: UInt64 = 0
    /// Connections that failed.
    public var failedConnections: UInt64 = 0
    /// Slots that came while another variant had a request outstanding; told, and no fault.
    public var contendedSlots: UInt64 = 0

    /// Nothing went wrong.
    public init() {}

    /// Whether all answers came, and came right.
    public var isClean: Bool { wrongBytes == 0 && lostBytes == 0 && surplusBytes == 0 && failedConnections == 0 }
}
