public import SocketAddresses

/// The connections of a load: their targets, numbers and roles.
public struct LoadConnections: Sendable {
    /// The servers; a request's target is the index of one of them.
    public var targets: [SocketAddress]
    /// Connections to each target that carry requests.
    public var count = 1
    /// The most requests in flight on one connection.
    public var depth = 1
    /// The sizes of payloads.
    public var sizes: PayloadSizes
    /// Whether each request opens its own connection; `count` is then the number of connections at the same time.
    public var connectsForEachRequest = false
    /// Connections to each target that are greeted and send nothing.
    public var idleCount = 0
    /// Connections to each target that send without a pause and read a few bytes at a time.
    public var slowReaderCount = 0
    /// Connections to each target that send a few bytes at a time.
    public var slowWriterCount = 0
    /// Connections to each target that send without a pause and read nothing.
    public var stalledCount = 0
    /// How often a slow connection reads or sends.
    public var slowInterval = Duration.seconds(1)
    /// How many bytes a slow connection reads or sends at a time.
    public var slowByteCount = 1
    /// Whether the kernel records when bytes were sent and received.
    public var takesKernelTimestamps = false
    /// How long to wait for a connection, and for replies after the last request.
    public var timeout = Duration.seconds(10)
    /// Whether a load starts although some connections were rejected, or not greeted within the timeout.
    public var allowsMissingGreetings = false
    /// The time before a request is due in which the engine spins instead of sleeping.
    public var spin = Duration.zero
    /// Seed of the bytes and the sizes of the requests.
    public var seed: UInt64 = 1

    /// The most requests in flight on one connection.
    public static let depths = 1...4096

    /// Makes the connections of a load; the defaults are one connection with one request at a time.
    public init(targets: [SocketAddress], sizes: PayloadSizes) {
        self.targets = targets
        self.sizes = sizes
    }

    /// The role of each connection to a target, in order.
    func roles(isBulk: Bool) -> [Connection.Role] {
        let counts: [(Connection.Role, Int)] = [
            (isBulk ? .bulk : .requests, count), (.idle, idleCount), (.slowReader, slowReaderCount),
            (.slowWriter, slowWriterCount), (.stalled, stalledCount),
        ]
        return counts.flatMap { [Connection.Role](repeating: $0, count: $1) }
    }
}
