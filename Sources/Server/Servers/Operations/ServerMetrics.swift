public import SystemCalls

/// The counts of a server, summed over its loops and threads.
public struct ServerMetrics: Hashable, Sendable {
    /// The number of connections that the server accepted and served.
    public var acceptedConnections = 0

    /// The number of open connections.
    public var openConnections = 0

    /// The number of rejected connections by reason.
    ///
    /// A reason that never occurred has no entry.
    public var rejectedConnections: [RejectionReason: Int] = [:]

    /// The number of connections that the server closed because of a limit, by limit.
    ///
    /// A limit that closed no connection has no entry.
    public var closedConnections: [CloseReason: Int] = [:]

    /// The number of bytes received from clients.
    ///
    /// Proxy headers do not count, nor do bytes that the server discards after its FIN. A libuv model updates this
    /// count and `sentByteCount` when a loop ends. If `ServerConfiguration.measures` is set, the model also updates
    /// both counts after each iteration.
    public var receivedByteCount = 0

    /// The number of reply bytes that the kernel has accepted, including greetings.
    public var sentByteCount = 0

    /// The number of reply bytes buffered for all clients together.
    public var bufferedByteCount = 0

    /// The largest number of reply bytes buffered for one client so far.
    public var peakBufferedByteCount = 0

    /// The number of closed messages that the server has replied to; 0 unless `ServerConfiguration.measures` is set.
    public var messageCount = 0

    /// The times from the notification of received bytes until the reply was sent or queued.
    ///
    /// In `async` and `io-uring`, a time ends when the reply is computed, just before it is sent or queued. The
    /// histogram is empty unless `ServerConfiguration.measures` is set.
    public var replyLatency = DurationHistogram()

    /// The counts of each loop.
    ///
    /// The list is empty in the blocking models. In the other models, it is empty unless `ServerConfiguration.measures`
    /// is set.
    public var loops: [Loop] = []

    /// The counts of one loop.
    public struct Loop: Hashable, Sendable {
        /// The durations of the iterations, without the time spent waiting.
        public var iterationTime = DurationHistogram()
        /// The delays of a timer that fires every 100 ms.
        public var lag = DurationHistogram()
        /// The number of buffers in the loop's pool.
        public var madeBuffers = 0
        /// The number of free buffers in the loop's pool.
        public var pooledBuffers = 0
        /// The number of pool buffers that pending writes own.
        public var buffersInFlight = 0
        /// The time since the 100 ms timer last fired.
        public var sinceTick = Duration.zero
    }

    /// Makes empty metrics.
    public init() {}

    /// The number of rejected connections.
    public var rejectedConnectionCount: Int { rejectedConnections.values.reduce(0, +) }

    /// Returns whether the 100 ms timer of every loop has fired within the time `limit` before now.
    public func isAlive(within limit: Duration) -> Bool { loops.allSatisfy { $0.sinceTick <= limit } }
}
