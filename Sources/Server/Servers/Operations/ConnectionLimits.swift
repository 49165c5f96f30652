/// The limits of a connection.
///
/// The server closes a connection that exceeds a limit. `nil` means no limit.
///
/// A periodic sweep compares the kernel's report about each connection (`SystemCalls.TCPState`) with the limits. The
/// interval between sweeps is a quarter of the shortest timeout, but at least 10 ms and at most one second. If there is
/// a `minReadRate`, `rateWindow` counts as a timeout here. The sweep adds no work per message, with one exception: with
/// `minReadRate`, the blocking models record after each reply whether a message is open.
public struct ConnectionLimits: Hashable, Sendable {
    /// The time after which an idle connection is closed.
    ///
    /// A connection is idle while no bytes move in either direction and all sent bytes are acknowledged.
    public var idleTimeout: Duration?

    /// The time after which the server closes a connection whose client accepts none of the buffered reply bytes.
    public var writeTimeout: Duration?

    /// The minimum number of bytes per second that a client must send while a message is open, averaged over
    /// `rateWindow`.
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

    /// The interval between sweeps of a connection; `nil` if no limit is set.
    var sweepInterval: Duration? {
        let times = [idleTimeout, writeTimeout, minReadRate == nil ? nil : rateWindow].compactMap { $0 }
        return times.min().map { min(max($0 / 4, .milliseconds(10)), .seconds(1)) }
    }
}
