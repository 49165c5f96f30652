public import SystemCalls

/// What a server has counted so far, over all its loops and threads.
public struct ServerMetrics: Hashable, Sendable {
    /// Connections that were accepted and served.
    public var acceptedConnections = 0

    /// Connections that are open.
    public var openConnections = 0

    /// Connections that were closed unserved, by reason; a reason that never occurred is missing.
    public var rejectedConnections: [RejectionReason: Int] = [:]

    /// Connections that a limit closed, by limit; a limit that closed none is missing.
    public var closedConnections: [CloseReason: Int] = [:]

    /// Bytes received from clients.
    ///
    /// Proxy headers, and bytes discarded after the server's FIN, do not count. The libuv models update this count and
    /// the next one at the end, and in each iteration if they measure.
    public var receivedByteCount = 0

    /// Reply bytes that the kernel has accepted, including greetings.
    public var sentByteCount = 0

    /// Reply bytes that are buffered for all clients.
    public var bufferedByteCount = 0

    /// The most reply bytes that were ever buffered for one client.
    public var peakBufferedByteCount = 0

    /// Messages that were closed and replied to; zero unless `ServerConfiguration.measures`, and so is the latency.
    public var messageCount = 0

    /// The time from the notification of received bytes until the kernel accepted the reply, or until it was queued.
    public var replyLatency = DurationHistogram()

    /// The loops of the server; empty if it does not measure, and in the blocking models.
    public var loops: [Loop] = []

    /// The counts of one loop.
    public struct Loop: Hashable, Sendable {
        /// The duration of each iteration, without its wait.
        public var iterationTime = DurationHistogram()
        /// How late a timer of 100 ms was, each time.
        public var lag = DurationHistogram()
        /// Buffers of the loop's pool that exist.
        public var madeBuffers = 0
        /// Buffers of the loop's pool that are free.
        public var pooledBuffers = 0
        /// Buffers of the loop's pool that writes own.
        public var buffersInFlight = 0
        /// The time since the loop's timer of 100 ms last fired.
        public var sinceTick = Duration.zero
    }

    /// Makes empty metrics.
    public init() {}

    /// Connections that were closed unserved, for whatever reason.
    public var rejectedConnectionCount: Int { rejectedConnections.values.reduce(0, +) }

    /// Whether the timer of every loop has fired within a time.
    public func isAlive(within limit: Duration) -> Bool { loops.allSatisfy { $0.sinceTick <= limit } }
}
