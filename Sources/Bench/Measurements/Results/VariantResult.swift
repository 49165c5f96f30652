/// The results of one server under a load, over all blocks.
public struct VariantResult: Hashable, Codable, Sendable {
    /// The role of the server in the comparison.
    public enum Role: String, Hashable, Codable, Sendable {
        /// The server that all others are compared with.
        case reference
        /// A server that is compared with the reference.
        case candidate
        /// A second copy of the reference. Its comparison with the reference is the A/A test.
        case control
        /// A server that does as little as possible. Its latency is a lower limit.
        case floor
    }

    /// The server's name.
    public var name: String
    /// The role of the server in the comparison.
    public var role: Role
    /// A summary of each kind of latency.
    public var latencies: [LatencySummary]
    /// The latencies of the first request of each connection, which are not included in `latencies`.
    public var cold: LatencySummary?
    /// The resources that the server used.
    public var cost: ServerCost?
    /// The faults that occurred while the server was measured.
    public var faults: ExchangeFaults

    /// Makes a result from histograms.
    ///
    /// If there are no wire times or no first requests, the result omits their summary.
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

    /// Returns the summary of one kind of latency; `nil` if this kind was not measured.
    public func latency(_ clock: LatencyClock) -> LatencySummary? { latencies.first { $0.clock == clock } }
}

/// The resources that a server used, read from `/proc/PID`.
public struct ServerCost: Hashable, Codable, Sendable {
    /// The processor time per request, in microseconds.
    public var processorMicrosecondsPerRequest: Double?
    /// The number of voluntary and involuntary context switches per request.
    public var contextSwitchesPerRequest: Double?
    /// The number of system calls per request, counted in a separate pass.
    public var systemCallsPerRequest: Double?
    /// The resident memory per connection, in bytes.
    public var residentBytesPerConnection: Double?
    /// The number of the server's threads.
    public var threads: Int?

    /// Makes a cost in which every value is unknown.
    public init() {}
}

/// The faults of a server's replies.
public struct ExchangeFaults: Hashable, Codable, Sendable {
    /// The number of reply bytes that were wrong or belonged to another connection.
    public var wrongBytes: UInt64 = 0
    /// The number of reply bytes that were not received.
    public var lostBytes: UInt64 = 0
    /// The number of bytes that the server sent in addition to the replies.
    public var surplusBytes: UInt64 = 0
    /// The number of connections that failed.
    public var failedConnections: UInt64 = 0
    /// The number of requests that were due while a request to another server was in flight.
    ///
    /// These requests are reported, but are not faults.
    public var contendedSlots: UInt64 = 0

    /// Makes a value in which every count is zero.
    public init() {}

    /// Whether every reply was received and correct.
    public var isClean: Bool { wrongBytes == 0 && lostBytes == 0 && surplusBytes == 0 && failedConnections == 0 }
}
