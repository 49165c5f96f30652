/// The kernel's report about a connection, as plain values.
public struct PeerActivity: Hashable, Sendable {
    /// The time since the last bytes arrived.
    public var sinceReceived: Duration

    /// The time since the last acknowledgement from the peer.
    public var sinceAcknowledged: Duration

    /// Whether the peer has sent FIN.
    public var hasShutDown: Bool

    /// Whether the peer has acknowledged the server's FIN.
    public var hasAcknowledgedShutdown: Bool

    /// Makes a report from its parts.
    public init(
        sinceReceived: Duration, sinceAcknowledged: Duration, hasShutDown: Bool, hasAcknowledgedShutdown: Bool
    ) {
        self.sinceReceived = sinceReceived
        self.sinceAcknowledged = sinceAcknowledged
        self.hasShutDown = hasShutDown
        self.hasAcknowledgedShutdown = hasAcknowledgedShutdown
    }
}
