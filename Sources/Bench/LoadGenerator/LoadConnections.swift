public import SocketAddresses

/// The connections of a load: where to, how many, and what each may do.
public struct LoadConnections: Sendable {
    /// The servers; a request's variant is the index of one of them.
    public var targets: [SocketAddress]
    /// Connections to each target that carry requests.
    public var count = 1
    /// The most requests in flight on one connection.
    public var depth = 1
    /// The sizes of payloads.
    public var sizes: PayloadSizes
    /// Whether each request opens a connection of its own; `count` is then how many there are at once.
    public var connectsForEachRequest = false
    /// Connections to each target that are greeted and say nothing.
    public var idleCount = 0
    /// Connections to each target that send without a pause and read little by little.
    public var slowReaderCount = 0
    /// Connections to each target that send little by little.
    public var slowWriterCount = 0
    /// How often a slow connection reads or sends.
    public var slowInterval = Duration.seconds(1)
    /// How many bytes it then reads or sends.
    public var slowByteCount = 1
    /// Whether the kernel is asked when bytes were sent and received.
    public var takesKernelTimestamps = false
    /// How long to wait for a connection, and for answers once nothing is sent any more.
    public var timeout = Duration.seconds(10)
    /// How long before a request is due the waiting is done awake, without giving the processor up.
    public var spin = Duration.zero
    /// Decides the bytes of the requests, and which size each has.
    public var seed: UInt64 = 1

    /// The most requests in flight on one connection.
    public static let depths = 1...4096

    /// Makes the connections of a load; the defaults are one connection with one request at a time.
    public init(targets: [SocketAddress], sizes: PayloadSizes) {
        self.targets = targets
        self.sizes = sizes
    }

    /// All connections to one target.
    var countForEachTarget: Int { count + idleCount + slowReaderCount + slowWriterCount }

    /// What each connection to a target is, in order.
    func roles(isBulk: Bool) -> [Connection.Role] {
        let first = [Connection.Role](repeating: isBulk ? .bulk : .requests, count: count)
        let others: [(Connection.Role, Int)] = [
            (.idle, idleCount), (.slowReader, slowReaderCount), (.slowWriter, slowWriterCount),
        ]
        return others.reduce(first) { $0 + [Connection.Role](repeating: $1.0, count: $1.1) }
    }
}
