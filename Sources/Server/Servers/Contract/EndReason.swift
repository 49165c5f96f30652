/// The limits for which a server ends connections.
public enum EndReason: String, CaseIterable, Hashable, Sendable {
    /// Nothing came and nothing went (`ConnectionLimits.idleTimeout`).
    case idle = "idle_timeout"
    /// The client did not take what was sent to it (`ConnectionLimits.writeTimeout`).
    case stalled = "write_timeout"
    /// The client sent an open message too slowly (`ConnectionLimits.minReadRate`).
    case slow = "min_read_rate"
    /// All clients together left too many bytes of answers waiting (`ServerConfiguration.maxBufferedTotal`).
    case buffered = "max_buffered_total"
    /// A balancer did not say in time, or not well, who its client is (`ServerConfiguration.trustedProxies`).
    case proxyHeader = "proxy_protocol"

    /// Whether what has not been sent is dropped: the client does not take it, or nothing was owed.
    var discards: Bool { self == .stalled || self == .buffered }
}

/// Why the server ends one connection.
struct ConnectionEnd: Hashable, Sendable {
    let reason: EndReason
    /// What happened, for the log.
    let detail: String

    /// All clients together would leave more bytes waiting than may.
    static func heldBeyond(_ limit: Int?) -> ConnectionEnd {
        ConnectionEnd(
            reason: .buffered, detail: "more than \(limit ?? 0) bytes wait for all clients (--max-buffered-total)")
    }
}
