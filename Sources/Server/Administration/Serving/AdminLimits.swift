/// The limits on connections to the administration server.
public struct AdminLimits: Sendable {
    /// The limit on open connections.
    ///
    /// If a client connects while the limit is reached, the server closes an open connection to make room. It closes
    /// the oldest connection whose response has been sent. If there is no such connection, it closes the oldest
    /// connection whose client has not sent a complete request. If there is no connection of either kind, the new
    /// connection waits until another connection closes.
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
