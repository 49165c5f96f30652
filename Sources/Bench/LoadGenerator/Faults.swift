/// The faults in a server's replies and connections, counted by kind.
public struct Faults: Hashable, Encodable, Sendable {
    /// The number of replies that have a wrong byte and are not the reply to another connection's request.
    public var wrongReplies = 0
    /// The number of replies that belong to another connection's request.
    public var crossTalk = 0
    /// The number of requests whose reply was missing or incomplete.
    public var lostReplies = 0
    /// The number of received bytes that belong to no reply.
    public var surplusBytes = 0
    /// The number of connections that the server closed or reset before the load generator closed them.
    public var lostConnections = 0
    /// The number of connections that the server rejected, or on which the greeting was missing or wrong.
    public var failedConnections = 0
    /// The number of requests in flight on connections that were closed because of another fault.
    public var abandonedRequests = 0

    /// Descriptions of the first few faults.
    public private(set) var examples: [String] = []

    /// Creates the counts, all zero.
    public init() {}

    /// Whether no fault was counted.
    public var isEmpty: Bool { counts.isEmpty }

    /// Whether the server sent bytes that it should not have sent.
    public var hasWrongBytes: Bool { wrongReplies > 0 || crossTalk > 0 || surplusBytes > 0 }

    /// The counts that are above 0, with the name of each kind of fault.
    public var counts: [(name: String, count: Int)] {
        [
            ("wrong replies", wrongReplies), ("replies to another connection's request", crossTalk),
            ("lost replies", lostReplies), ("surplus bytes", surplusBytes),
            ("connections closed by the server", lostConnections), ("failed connections", failedConnections),
            ("requests abandoned after a fault", abandonedRequests),
        ].filter { $0.count > 0 }
    }

    /// Adds the counts of another value.
    public mutating func add(_ other: Faults) {
        wrongReplies += other.wrongReplies
        crossTalk += other.crossTalk
        lostReplies += other.lostReplies
        surplusBytes += other.surplusBytes
        lostConnections += other.lostConnections
        failedConnections += other.failedConnections
        abandonedRequests += other.abandonedRequests
        examples = Array((examples + other.examples).prefix(Faults.exampleCount))
    }

    private static var exampleCount: Int { 5 }

    mutating func note(_ example: String) {
        if examples.count < Faults.exampleCount { examples.append(example) }
    }
}
