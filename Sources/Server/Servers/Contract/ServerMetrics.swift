/// What a server has counted so far, all its threads together.
public struct ServerMetrics: Hashable, Sendable {
    /// Connections that have been accepted and served.
    public var acceptedConnections = 0

    /// Connections that are open.
    public var openConnections = 0

    /// Connections that were closed unserved, by reason; those that never happened are missing.
    public var refusedConnections: [RefusalReason: Int] = [:]

    /// Connections that a limit ended.
    public var endedConnections: [EndReason: Int] = [:]

    /// Bytes of answers that wait for clients to take them.
    public var heldByteCount = 0

    /// Bytes received from clients; zero unless the server measures, and so are those below.
    public var receivedByteCount = 0

    /// Bytes given to the kernel.
    public var sentByteCount = 0

    /// Messages that were closed and answered.
    public var messageCount = 0

    /// From the moment when a thread learned of bytes until their answer was given to the kernel, or queued.
    public var answerLatency = DurationHistogram()

    /// The loops of the server; none where threads block.
    public var loops: [Loop] = []

    /// What one loop has done.
    public struct Loop: Hashable, Sendable {
        /// How long each round took, its waiting apart.
        public var roundTime = DurationHistogram()
        /// How late a timer of 100 ms was, each time.
        public var lag = DurationHistogram()
        /// Buffers of the loop's pool: all that exist, those that are free, and those that writes own.
        public var madeBuffers = 0
        /// See `madeBuffers`.
        public var pooledBuffers = 0
        /// See `madeBuffers`.
        public var buffersInFlight = 0
        /// How long ago the loop last looked at its clock, as it does ten times a second.
        public var sinceTick = Duration.zero
    }

    /// Makes empty metrics.
    public init() {}

    /// Whether every loop has looked at its clock within a time.
    public func isAlive(within limit: Duration) -> Bool { loops.allSatisfy { $0.sinceTick <= limit } }

    /// Adds what another part of the same server has counted.
    mutating func add(_ part: ServerMetrics) {
        acceptedConnections += part.acceptedConnections
        openConnections += part.openConnections
        refusedConnections.merge(part.refusedConnections, uniquingKeysWith: +)
        endedConnections.merge(part.endedConnections, uniquingKeysWith: +)
        heldByteCount += part.heldByteCount
        receivedByteCount += part.receivedByteCount
        sentByteCount += part.sentByteCount
        messageCount += part.messageCount
        answerLatency.add(part.answerLatency)
        loops += part.loops
    }
}
