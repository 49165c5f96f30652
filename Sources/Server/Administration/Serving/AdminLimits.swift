/// The limits on connections to the administration server.
public struct AdminLimits: Sendable {
    /// The limit on open connections.
    ///
    /// If a client connects at the limit, the server closes an open connection to make room. It closes the oldest
    /// connection whose response has been sent. If there is none, it closes the oldest connection without a complete
    /// request. If there is no such connection either, the new connection waits until another connection closes.
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
