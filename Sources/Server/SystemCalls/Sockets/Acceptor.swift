/// Accepts connections, and survives errors of `accept4`.
///
/// Only an error of the listening socket itself is thrown. After any other error, the acceptor does one of
/// the following:
///
/// - **The pending connection has failed**, for example `ECONNABORTED` or `ENONET`: the acceptor tries the next
///   connection.
/// - **No descriptor is free** (`EMFILE`, `ENFILE`): the acceptor rejects the pending connection with its reserve
///   descriptor.
/// - **All other errors**, for example `ENOMEM`, and many failed connections in a row: the acceptor tells the caller to
///   pause. The first pause is 10 ms. Each later pause is twice as long as the one before, up to 1 s. Pending
///   connections wait in the backlog.
public struct Acceptor: ~Copyable, Sendable {
    private var reserve = ReserveDescriptor()
    /// The last pause, or `nil` if `accept4` has since accepted a connection or found none pending.
    private var pause: Duration?
    private var lastReport: (code: Int32, time: ContinuousClock.Instant)?

    /// The number of failed connections in a row after which the caller pauses.
    private static let longestRow = 16

    /// The result of an attempt to accept a connection.
    public enum Outcome: ~Copyable {
        /// An accepted connection.
        case connection(StreamSocket)
        /// No connection is pending.
        case wouldBlock
        /// The acceptor has accepted a connection and closed it, because no descriptor is free.
        case rejected(SystemCallError)
        /// The caller must not try again before the time has passed. The error is `nil` if the same error has already
        /// been reported.
        case pause(Duration, SystemCallError?)
    }

    /// Makes an acceptor, and opens its reserve descriptor.
    public init() {}

    /// Accepts the next connection of a listener (`accept4`).
    ///
    /// - Parameter isNonBlocking: whether reads and writes on the connection return immediately instead of waiting.
    /// - Throws: an error of the listening socket, for example `EINVAL` if it has been shut down.
    public mutating func next(
        from listener: borrowing ListeningSocket, isNonBlocking: Bool
    ) throws(SystemCallError) -> Outcome {
        if pause != nil { reserve.refill() }
        var last = SystemCallError(code: 0, call: "accept4")
        for _ in 0..<Acceptor.longestRow {
            switch try listener.accept(isNonBlocking: isNonBlocking) {
            case .connection(let socket):
                pause = nil
                return .connection(socket)
            case .wouldBlock:
                pause = nil
                return .wouldBlock
            case .failed(let error):
                if error.isMissingDescriptor { return rejectOrPause(error, listener) }
                last = error
                if !error.concernsPendingConnection { return paused(last) }
            }
        }
        return paused(last)
    }

    /// Rejects the pending connection, if there is one.
    ///
    /// The kernel reserves a descriptor before it looks for a connection, so the error does not show whether a
    /// connection is pending.
    private mutating func rejectOrPause(_ error: SystemCallError, _ listener: borrowing ListeningSocket) -> Outcome {
        guard listener.hasPendingConnection else { return .wouldBlock }
        return reserve.rejectConnection(from: listener) ? .rejected(error) : paused(error)
    }

    private mutating func paused(_ error: SystemCallError) -> Outcome {
        let isRepeated = pause != nil
        let duration = min((pause ?? .milliseconds(5)) * 2, .seconds(1))
        pause = duration
        let now = ContinuousClock.now
        if let lastReport, lastReport.code == error.code,
            isRepeated || lastReport.time.duration(to: now) < .seconds(1)
        {
            return .pause(duration, nil)
        }
        lastReport = (error.code, now)
        return .pause(duration, error)
    }
}
