/// What a client may do before the server ends its connection; `nil` sets no bound.
///
/// The limits are looked at now and then, a few times in the shortest of them, and by what the kernel knows of the
/// connection (`SystemCalls.TCPState`): they cost nothing while messages are served.
public struct ConnectionLimits: Hashable, Sendable {
    /// How long nothing may come from a client and nothing go to it, while it owes and is owed nothing.
    public var idleTimeout: Duration?

    /// How long a client may take none of the bytes that are being sent to it.
    public var writeTimeout: Duration?

    /// How many bytes a second a client must send while a message of its is open, on average over `rateWindow`.
    public var minReadRate: Int?

    /// The time over which `minReadRate` is an average.
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

    /// In how many parts the connections are looked at: no part delays a message for long.
    static let parts = 8

    /// How often all connections are looked at; `nil` where nothing is bounded.
    var interval: Duration? {
        let times = [idleTimeout, writeTimeout, minReadRate == nil ? nil : rateWindow].compactMap { $0 }
        return times.min().map { min(max($0 / 4, .milliseconds(10)), .seconds(1)) }
    }
}
