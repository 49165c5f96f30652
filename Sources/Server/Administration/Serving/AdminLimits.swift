/// The limits on connections to the administration server.
public struct AdminLimits: Sendable {
    /// The limit on open connections.
    ///
    /// At the limit, a further connection replaces the oldest one whose response has been sent, or else the oldest one
    /// without a complete request. If there is neither, the further connection waits in the kernel's queue.
    public var maxConnections: Int

    /// The time after which an accepted connection is closed.
    public var connectionTimeout: Duration

    /// The time that clients have after `stop` to read their responses.
    public var stopGrace: Duration

    /// Makes limits.
    public init(
        maxConnections: Int = 64, connectionTimeout: Duration = .seconds(5), stopGrace: Duration = .milliseconds(100)
    ) {
        self.maxConnections = maxConnections
        self.connectionTimeout = connectionTimeout
        self.stopGrace = stopGrace
    }
}
