public import ProxyProtocol
public import SocketAddresses
public import SystemCalls

/// The configuration of a server of any model.
public struct ServerConfiguration: Sendable {
    /// The address to listen on; port 0 picks a free port.
    public var address: SocketAddress

    /// The descriptor of a listening socket from a service manager.
    ///
    /// If the descriptor is set, the server listens on this socket and does not bind `address`. The server owns the
    /// descriptor from `start` on, and closes it even if `start` fails. Other processes may share the socket, so the
    /// server does not shut it down. The server closes the descriptor when a drain begins, and queued clients wait for
    /// the next process. `start` makes the socket non-blocking for all processes that share it.
    public var inheritedListener: Int32?

    /// The heartbeat of the server; `nil` if the server sends no heartbeat.
    ///
    /// The heartbeat must not block.
    ///
    /// The models with loops send the heartbeat from the serving loop, so a hung loop sends no heartbeat. With
    /// several loops, the server sends the heartbeat only if every loop runs. The blocking models send the heartbeat
    /// from a separate thread, because their other threads may wait for clients for any length of time. In these
    /// models, the heartbeat shows only that the process runs.
    public var heartbeat: Heartbeat?

    /// The length of the kernel's queue of pending connections (`listen(2)`).
    ///
    /// The kernel limits the length to `net.core.somaxconn`.
    public var backlog = 4096

    /// The limit on open connections; the server rejects further connections.
    ///
    /// `nil` means no limit.
    public var maxConnections: Int?

    /// The limit on reply bytes buffered for one connection.
    ///
    /// The server pauses reading above a high-water mark, and resumes reading at half of the mark. The mark is this
    /// limit minus 128 KiB, but at least half of this limit; see `readSize` and `IncrementProtocol.WaterMarks`. The
    /// blocking models have no mark: they buffer at most one reply, whose size is at most 64 KiB and at most half of
    /// this limit. `io-uring` can exceed the limit by bytes that the kernel has already received into the ring's
    /// buffers when reading pauses, by default by up to 2 MiB.
    public var maxBufferedBytes = 256 * 1024

    /// The number of bytes by which the high-water mark is below `maxBufferedBytes`.
    ///
    /// The number is half of `maxBufferedBytes`, but at most 128 KiB. `select`, `poll`, `epoll` and the libuv models
    /// read at most this many bytes at once from one connection. `io-uring` reads fewer bytes per completion: 1/128 of
    /// this number, but at least 16 bytes. The blocking models have their own limit on a read
    /// (`BlockingWorkers.readSize`).
    var readSize: Int { max(1, min(128 * 1024, maxBufferedBytes / 2)) }

    /// The limit on reply bytes buffered for all connections; the server closes a connection that would exceed the
    /// limit.
    ///
    /// `nil` means no limit.
    public var maxBufferedTotal: Int?

    /// The timeouts of a connection.
    public var limits = ConnectionLimits()

    /// Whether the server measures messages, latencies and iterations.
    ///
    /// Measuring reads the clock once for each reply, and once or twice in each iteration.
    public var measures = false

    /// The proxies whose connections begin with a header of the PROXY protocol, version 2.
    ///
    /// The header names the client. Connections from all other addresses begin without a header.
    public var trustedProxies: [CIDRBlock] = []

    /// The timeout of a drain, after which the server closes the remaining connections.
    ///
    /// The time begins with the first call of `stop`. In a blocking model, it begins for each thread when the thread
    /// notices the stop, which is at most 100 ms after the call. `run` may return up to about one second after the
    /// timeout: in `io-uring`, for example, the kernel has up to one second to complete the cancelled requests.
    public var drainTimeout = Duration.seconds(5)

    /// The number of threads of `thread-pool`.
    ///
    /// Each thread serves one client at a time.
    public var poolThreads = 32

    /// The number of clients that may wait for a thread of `thread-pool`; the server rejects further clients.
    public var poolQueueLimit = 1024

    /// The number of loops of `libuv-loops`.
    ///
    /// `nil` means one loop for each processor that the process may use.
    public var loops: Int?

    /// Makes a configuration with the default limits.
    public init(address: SocketAddress) { self.address = address }

    /// Whether a blocking model needs a thread for periodic work.
    public var hasPeriodicWork: Bool { sweepInterval != nil || heartbeat != nil }

    /// The interval between sweeps of a connection; `nil` if no option requires sweeps.
    var sweepInterval: Duration? {
        let needsSweep = measures || maxBufferedTotal != nil || !trustedProxies.isEmpty
        return limits.sweepInterval ?? (needsSweep ? .seconds(1) : nil)
    }
}

extension SharedListener {
    /// Takes the inherited socket of the configuration, or binds a new socket to the configured address.
    convenience init(_ options: ServerConfiguration, isNonBlocking: Bool) throws(SystemCallError) {
        try self.init(
            inheriting: options.inheritedListener, orAt: options.address, backlog: options.backlog,
            isNonBlocking: isNonBlocking)
    }
}
