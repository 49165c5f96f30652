/// What was wrong with the answers of a server, told apart and counted.
public struct Faults: Hashable, Sendable {
    /// Answers with a byte that is wrong, and belongs to nobody.
    public var wrongAnswers = 0
    /// Answers that belong to a request of another connection.
    public var crossTalk = 0
    /// Requests whose answer, or a part of it, did not come.
    public var lostAnswers = 0
    /// Bytes that answer nothing.
    public var surplusBytes = 0
    /// Connections that the server ended, or reset, before the load did.
    public var endedConnections = 0
    /// Connections that were refused, or not greeted as they should.
    public var failedConnections = 0
    /// Requests whose answers were not looked for any more, because their connection had a fault.
    public var abandonedRequests = 0

    /// The first few faults in words.
    public private(set) var examples: [String] = []

    /// Makes an empty count.
    public init() {}

    /// Whether there was none.
    public var isEmpty: Bool {
        wrongAnswers == 0 && crossTalk == 0 && lostAnswers == 0 && surplusBytes == 0 && endedConnections == 0
            && failedConnections == 0 && abandonedRequests == 0
    }

    /// The counts with their names, those that are not 0.
    public var counts: [(name: String, count: Int)] {
        [
            ("wrong answers", wrongAnswers), ("answers of another connection", crossTalk),
            ("lost answers", lostAnswers), ("surplus bytes", surplusBytes),
            ("connections ended by the server", endedConnections), ("connections that failed", failedConnections),
            ("requests abandoned after a fault", abandonedRequests),
        ].filter { $0.count > 0 }
    }

    /// Adds the faults of another count.
    public mutating func add(_ other: Faults) {
        wrongAnswers += other.wrongAnswers
        crossTalk += other.crossTalk
        lostAnswers += other.lostAnswers
        surplusBytes += other.surplusBytes
        endedConnections += other.endedConnections
        failedConnections += other.failedConnections
        abandonedRequests += other.abandonedRequests
        examples = Array((examples + other.examples).prefix(Faults.exampleCount))
    }

    private static var exampleCount: Int { 5 }

    mutating func note(_ example: String) {
        if examples.count < Faults.exampleCount { examples.append(example) }
    }
}
