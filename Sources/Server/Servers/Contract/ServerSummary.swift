/// What a server did between `start` and the return of `run`.
public struct ServerSummary: Hashable, Sendable {
    /// Connections that were served.
    public var acceptedConnections = 0

    /// Connections that were closed at once, for want of descriptors or beyond `maxConnections`.
    public var refusedConnections = 0

    /// Bytes received from clients; what came after a drain had ended a connection's side is not counted.
    public var receivedBytes = 0

    /// Bytes of answers handed to the kernel, greetings included.
    public var sentBytes = 0

    /// The largest number of bytes that was ever held for one client.
    public var peakBufferedBytes = 0

    /// Makes an empty summary.
    public init() {}
}
