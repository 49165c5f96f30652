/// The results of one server under a load, over all blocks.
public struct VariantResult: Hashable, Codable, Sendable {
    /// The role of the server in the comparison.
    public enum Role: String, Hashable, Codable, Sendable {
        /// The server that others are compared with.
        case reference
        /// A server that is compared with the reference.
        case candidate
        /// A second copy of the reference, compared with it: the A/A test.
        case control
        /// A server that does next to nothing: a lower limit on latency.
        case floor
    }

    /// The server's name.
    public var name: String
    /// The role of the server in the comparison.
    public var role: Role
    /// The summaries of each latency.
    public var latencies: [LatencySummary]
    /// The first request of each connection, which is not included in `latencies`.
    public var cold: LatencySummary?
    /// The resources that the server used.
    public var cost: ServerCost?
    /// The faults of the exchange.
    public var faults: ExchangeFaults

    /// Makes a result from histograms; wire times and first requests may be missing.
    public init(
        name: String, role: Role, response: LatencyHistogram, wire: LatencyHistogram,
        cold: LatencyHistogram = LatencyHistogram(), cost: ServerCost?, faults: ExchangeFaults = ExchangeFaults()
    ) {
        self.name = name
        self.role = role
        latencies = [LatencySummary(.response, response), LatencySummary(.wire, wire)]
            .filter { $0.clock == .response || $0.count > 0 }
        self.cold = cold.count > 0 ? LatencySummary(.response, cold) : nil
        self.cost = cost
        self.faults = faults
    }

    /// The summary of a latency; `nil` if it was not measured.
    public func latency(_ clock: LatencyClock) -> LatencySummary? { latencies.first { $0.clock == clock } }
}

/// The resources that a server used (`/proc/PID`).
public struct ServerCost: Hashable, Codable, Sendable {
    /// Processor time for each request, in microseconds.
    public var processorMicrosecondsPerRequest: Double?
    /// Voluntary and involuntary context switches for each request.
    public var contextSwitchesPerRequest: Double?
    /// System calls for each request, counted in a separate pass.
    public var systemCallsPerRequest: Double?
    /// Resident memory for each connection, in bytes.
    public var residentBytesPerConnection: Double?
    /// The number of the server's threads.
    public var threads: Int?

    /// Makes a cost without values.
    public init() {}
}

/// Faults in the exchange between a server and its load.
public struct ExchangeFaults: Hashable, Codable, Sendable {
    /// Bytes of replies that were wrong, or belonged to another connection.
    public var wrongBytes: UInt64 = 0
    /// Bytes of replies that were not received.
    public var lostBytes: UInt64 = 0
    /// Bytes after the replies.
    public var surplusBytes: UInt64 = 0
    /// Connections that failed.
    public var failedConnections: UInt64 = 0
    /// Slots that were due while another variant had a request in flight; reported, but not a fault.
    public var contendedSlots: UInt64 = 0

    /// Makes a record without faults.
    public init() {}

    /// Whether every reply was received and correct.
    public var isClean: Bool { wrongBytes == 0 && lostBytes == 0 && surplusBytes == 0 && failedConnections == 0 }
}
