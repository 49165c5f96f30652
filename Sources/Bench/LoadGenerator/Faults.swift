/// The faults of a server's replies, by kind.
public struct Faults: Hashable, Encodable, Sendable {
    /// Replies with a wrong byte that belongs to no other reply.
    public var wrongReplies = 0
    /// Replies that belong to a request of another connection.
    public var crossTalk = 0
    /// Requests whose reply, or a part of it, did not arrive.
    public var lostReplies = 0
    /// Bytes that belong to no reply.
    public var surplusBytes = 0
    /// Connections that the server closed or reset before the load generator did.
    public var lostConnections = 0
    /// Connections that were rejected, or had no or a wrong greeting.
    public var failedConnections = 0
    /// Requests in flight on a connection that was closed because of another fault.
    public var abandonedRequests = 0

    /// Descriptions of the first few faults.
    public private(set) var examples: [String] = []

    /// Makes counts of zero.
    public init() {}

    /// Whether nothing was wrong.
    public var isEmpty: Bool { counts.isEmpty }

    /// Whether bytes were received that should not have been.
    public var hasWrongBytes: Bool { wrongReplies > 0 || crossTalk > 0 || surplusBytes > 0 }

    /// The counts above 0, with their names.
    public var counts: [(name: String, count: Int)] {
        [
            ("wrong replies", wrongReplies), ("replies to another connection's request", crossTalk),
            ("lost replies", lostReplies), ("surplus bytes", surplusBytes),
            ("connections closed by the server", lostConnections), ("failed connections", failedConnections),
            ("requests abandoned after a fault", abandonedRequests),
        ].filter { $0.count > 0 }
    }

    /// Adds other counts.
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
