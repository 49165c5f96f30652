/// How much the administration's clients may take.
public struct AdminLimits: Sendable {
    /// How many are served at once; one beyond waits in the kernel until another has gone.
    public var maxConnections: Int

    /// How long a connection may last, from its acceptance on.
    public var connectionTimeout: Duration

    /// How long answers under way have to be taken when the administration stops.
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
