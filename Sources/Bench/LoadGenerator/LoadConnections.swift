public import SocketAddresses

/// The connections of a load: their targets, counts and roles.
public struct LoadConnections: Sendable {
    /// The addresses of the servers.
    ///
    /// The index of an address identifies a target.
    public var targets: [SocketAddress]
    /// For each target, the number of connections that carry requests.
    public var count = 1
    /// The maximum number of requests in flight on one connection.
    public var depth = 1
    /// The payload sizes of the requests.
    public var sizes: PayloadSizes
    /// Whether each request opens its own connection.
    ///
    /// If true, `count` is the maximum number of simultaneous connections.
    public var connectsForEachRequest = false
    /// For each target, the number of connections that receive the greeting and send nothing.
    public var idleCount = 0
    /// For each target, the number of connections that send without a pause and read a few bytes at a time.
    public var slowReaderCount = 0
    /// For each target, the number of connections that send a few bytes at a time.
    public var slowWriterCount = 0
    /// For each target, the number of connections that send without a pause and read nothing.
    public var stalledCount = 0
    /// The time between two reads or sends of a slow connection.
    public var slowInterval = Duration.seconds(1)
    /// The number of bytes that a slow connection reads or sends at a time.
    public var slowByteCount = 1
    /// Whether the kernel records the times at which it sent and received bytes.
    public var takesKernelTimestamps = false
    /// The longest time to wait for a connection, and for replies after the last request.
    public var timeout = Duration.seconds(10)
    /// Whether the load starts even if some connections were rejected, or received no greeting within the timeout.
    public var allowsMissingGreetings = false
    /// The engine stops sleeping and begins to spin this long before each request is due.
    public var spin = Duration.zero
    /// The seed of the requests' bytes and sizes.
    public var seed: UInt64 = 1

    /// The valid values of `depth`.
    public static let depths = 1...4096

    /// Makes a value with the defaults: one connection, and at most one request in flight.
    public init(targets: [SocketAddress], sizes: PayloadSizes) {
        self.targets = targets
        self.sizes = sizes
    }

    /// Returns the roles of the connections to one target, in the order of the connections.
    func roles(isBulk: Bool) -> [Connection.Role] {
        let counts: [(Connection.Role, Int)] = [
            (isBulk ? .bulk : .requests, count), (.idle, idleCount), (.slowReader, slowReaderCount),
            (.slowWriter, slowWriterCount), (.stalled, stalledCount),
        ]
        return counts.flatMap { [Connection.Role](repeating: $0, count: $1) }
    }
}
