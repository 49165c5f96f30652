public import SocketAddresses

/// What every model is configured by.
public struct ServerConfiguration: Sendable {
    /// The address to listen on; port 0 picks a free port.
    public var address: SocketAddress

    /// A socket that listens already, in place of one bound to `address`, as a service manager hands over.
    ///
    /// The server's from `start` on, which closes it even where it fails. It may be shared with other processes: it is not
    /// shut down, and at a drain it is only closed, so that the clients in its queue wait for the next process. It does not
    /// block from `start` on, in none of them.
    public var inheritedListener: Int32?

    /// A sign of life to give while the server runs.
    public var heartbeat: Heartbeat?

    /// How many connections the kernel keeps waiting to be accepted (`listen(2)`, cut to `net.core.somaxconn`).
    public var backlog: Int

    /// How many connections are served at once; one beyond it is accepted and closed at once.
    ///
    /// `nil` sets no bound.
    public var maxConnections: Int?

    /// How many bytes of answers the server holds for one client that does not read, before it stops reading from it.
    public var maxBufferedBytes: Int

    /// How many bytes of answers the server holds for all clients together; the client whose answers would be more is
    /// ended.
    ///
    /// `nil` sets no bound.
    public var maxBufferedTotal: Int?

    /// What a client may do before its connection is ended.
    public var limits: ConnectionLimits

    /// Whether messages, bytes and times are counted for `Server.metrics`, which costs two readings of the clock for
    /// each message.
    public var measures: Bool

    /// The proxies whose connections begin with a header of the PROXY protocol, version 2, that tells whose they are.
    ///
    /// A connection from any other address is a client's own, and begins with no header.
    public var trustedProxies: [AddressBlock]

    /// How long a drain may take, from the first `stop` to the return of `run`.
    public var drainTimeout: Duration

    /// How many threads `thread-pool` has: so many clients are served at once.
    public var poolThreads: Int

    /// How many clients wait for a thread of `thread-pool`; one beyond it is accepted and closed at once.
    public var poolQueueLimit: Int

    /// How many loops `libuv-loops` has, each on a thread of its own.
    ///
    /// `nil` has one for each processor that the process may use.
    public var loops: Int?

    /// Makes a configuration.
    public init(
        address: SocketAddress, backlog: Int = 4096, maxConnections: Int? = nil,
        maxBufferedBytes: Int = 256 * 1024, drainTimeout: Duration = .seconds(5),
        poolThreads: Int = 32, poolQueueLimit: Int = 1024, loops: Int? = nil,
        maxBufferedTotal: Int? = nil, limits: ConnectionLimits = ConnectionLimits(), measures: Bool = false,
        inheritedListener: Int32? = nil, heartbeat: Heartbeat? = nil,
        trustedProxies: [AddressBlock] = []
    ) {
        self.address = address
        self.backlog = backlog
        self.maxConnections = maxConnections
        self.maxBufferedBytes = maxBufferedBytes
        self.drainTimeout = drainTimeout
        self.poolThreads = poolThreads
        self.poolQueueLimit = poolQueueLimit
        self.loops = loops
        self.maxBufferedTotal = maxBufferedTotal
        self.limits = limits
        self.measures = measures
        self.inheritedListener = inheritedListener
        self.heartbeat = heartbeat
        self.trustedProxies = trustedProxies
    }
}
