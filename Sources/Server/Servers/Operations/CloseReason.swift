internal import ProxyProtocol
internal import SystemCalls

/// The limits that make a server close a connection.
public enum CloseReason: String, CaseIterable, Hashable, Sendable {
    /// The connection was idle (`ConnectionLimits.idleTimeout`).
    case idle = "idle_timeout"
    /// The client accepted no reply bytes (`ConnectionLimits.writeTimeout`).
    case stalled = "write_timeout"
    /// The client sent an open message too slowly (`ConnectionLimits.minReadRate`).
    case slow = "min_read_rate"
    /// The reply bytes buffered for all connections would exceed their limit (`ServerConfiguration.maxBufferedTotal`).
    case buffered = "max_buffered_total"
    /// A trusted proxy sent an invalid header, or sent no header in time (`ServerConfiguration.trustedProxies`).
    case proxyHeader = "proxy_protocol"

    /// Whether the server resets the connection and drops unsent bytes.
    ///
    /// This is the case for the limits that a client exceeds because it accepts no reply bytes.
    var resets: Bool { self == .stalled || self == .buffered }
}

/// The reason for closing one connection, with details for the log.
struct Closure: Hashable, Sendable {
    let reason: CloseReason
    /// What happened, for the log.
    let detail: String

    /// Returns the reason for closing a connection that would exceed the limit on all buffered reply bytes.
    static func overMemoryLimit(_ limit: Int?) -> Closure {
        Closure(
            reason: .buffered,
            detail: "more than \(limit ?? 0) reply bytes would be buffered for all clients (--max-buffered-total)")
    }

    /// The time within which a trusted proxy must send its header.
    static let headerTimeout = Duration.seconds(3)

    static let missingHeader = Closure(
        reason: .proxyHeader, detail: "no PROXY protocol header arrived within \(headerTimeout.text) (--proxy-protocol)"
    )

    static func invalidHeader(_ error: ProxyHeaderError) -> Closure {
        Closure(reason: .proxyHeader, detail: "\(error) (--proxy-protocol)")
    }
}
