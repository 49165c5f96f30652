/// The limits beyond which the server closes a connection; `nil` sets no limit.
///
/// The server sweeps its connections a few times within the shortest limit, and judges them by what the kernel reports
/// (`SystemCalls.TCPState`). A limit costs nothing per message.
public struct ConnectionLimits: Hashable, Sendable {
    /// How long a connection may stay idle: no bytes in either direction, and none unacknowledged.
    public var idleTimeout: Duration?

    /// The time for which a client may accept no reply bytes while some are buffered for it.
    public var writeTimeout: Duration?

    /// The bytes per second that a client must send while a message is open, on average over `rateWindow`.
    public var minReadRate: Int?

    /// The time over which `minReadRate` is averaged.
    public var rateWindow: Duration

    /// Makes limits.
    public init(
        idleTimeout: Duration? = nil, writeTimeout: Duration? = nil, minReadRate: Int? = nil,
        rateWindow: Duration = .seconds(5)
    ) {
        self.idleTimeout = idleTimeout
        self.writeTimeout = writeTimeout
        self.minReadRate = minReadRate
        self.rateWindow = rateWindow
    }

    /// How often every connection is swept; `nil` if nothing is limited.
    var sweepInterval: Duration? {
        let times = [idleTimeout, writeTimeout, minReadRate == nil ? nil : rateWindow].compactMap { $0 }
        return times.min().map { min(max($0 / 4, .milliseconds(10)), .seconds(1)) }
    }
}
