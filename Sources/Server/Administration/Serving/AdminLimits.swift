/// The limits on the administration's connections.
public struct AdminLimits: Sendable {
    /// The limit on open connections; further ones wait in the kernel's queue.
    public var maxConnections: Int

    /// The timeout of a connection, counted from its acceptance.
    public var connectionTimeout: Duration

    /// The time that clients have to read their responses after `stop`.
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
