public import ProxyProtocol
public import SocketAddresses
public import SystemCalls

/// The configuration of a server, the same for every model.
public struct ServerConfiguration: Sendable {
    /// The address to listen on; port 0 picks a free port.
    public var address: SocketAddress

    /// A listening socket to use instead of binding `address`, as a service manager passes it.
    ///
    /// The server owns it from `start` on, and closes it even if it fails. Other processes may share it: the server does
    /// not shut it down, and closes it when a drain begins, so that queued clients wait for the next process. `start`
    /// makes it non-blocking, for all of these processes.
    public var inheritedListener: Int32?

    /// The heartbeat of the server, if any; called on the serving thread, which it must not block.
    ///
    /// The libuv and readiness models send it from the loop that serves, so a hung loop sends none. With several loops,
    /// each of them must take part. The blocking models send it from a thread of its own, which shows only that the
    /// process runs: their other threads may wait for clients for any length of time.
    public var heartbeat: Heartbeat?

    /// The number of connections that the kernel queues (`listen(2)`, at most `net.core.somaxconn`).
    public var backlog = 4096

    /// The most connections that are open at once; further ones are accepted and closed at once.
    ///
    /// `nil` sets no limit.
    public var maxConnections: Int?

    /// The most reply bytes that are buffered for one connection.
    ///
    /// The server pauses reading above this limit less one read, and resumes at half of that; see
    /// `IncrementProtocol.WaterMarks`.
    public var maxBufferedBytes = 256 * 1024

    /// The most reply bytes that are buffered for all connections; one that would exceed it is closed.
    ///
    /// `nil` sets no limit.
    public var maxBufferedTotal: Int?

    /// The timeouts of a connection.
    public var limits = ConnectionLimits()

    /// Whether messages, latencies and iterations are measured, which costs two readings of the clock per message.
    public var measures = false

    /// The proxies whose connections begin with a PROXY protocol header, version 2, that names the client.
    ///
    /// Connections from all other addresses begin with no header.
    public var trustedProxies: [CIDRBlock] = []

    /// How long a drain may take, from the first `stop` to the return of `run`.
    public var drainTimeout = Duration.seconds(5)

    /// The number of threads of `thread-pool`, and so of the clients it serves at once.
    public var poolThreads = 32

    /// The number of clients that may wait for a thread of `thread-pool`; further ones are closed at once.
    public var poolQueueLimit = 1024

    /// The number of loops of `libuv-loops`; `nil` for one per processor that the process may use.
    public var loops: Int?

    /// Makes a configuration with the default limits.
    public init(address: SocketAddress) { self.address = address }

    /// The interval at which every connection is swept; `nil` if no option requires a sweep.
    var sweepInterval: Duration? {
        let needsSweep = measures || maxBufferedTotal != nil || !trustedProxies.isEmpty
        return limits.sweepInterval ?? (needsSweep ? .seconds(1) : nil)
    }
}
