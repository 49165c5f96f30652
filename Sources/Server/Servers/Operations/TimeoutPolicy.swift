internal import SystemCalls

/// Decides which connections have exceeded a timeout, based on the kernel's report at each sweep.
///
/// The policy stores state for a connection only while reply bytes are unacknowledged or a message is open.
struct TimeoutPolicy {
    private let limits: ConnectionLimits
    private var stalls: [UInt32: Progress] = [:]
    private var openMessages: [UInt32: Progress] = [:]

    /// A byte count of a connection, and the time at which it was recorded.
    private struct Progress {
        var byteCount: UInt64
        var since: Duration
    }

    init(_ limits: ConnectionLimits) { self.limits = limits }

    /// Evaluates the timeouts of a connection.
    ///
    /// - Parameters:
    ///   - number: the connection's number in the log.
    ///   - state: the kernel's report about the connection.
    ///   - isInMessage: whether a message of the client is open.
    ///   - now: a monotonic time.
    /// - Returns: the reason to close the connection; `nil` if it has exceeded no timeout.
    mutating func evaluate(_ number: UInt32, _ state: TCPState, isInMessage: Bool, now: Duration) -> Closure? {
        if let closure = stalled(number, state, now) { return closure }
        if let closure = slow(number, state, isInMessage, now) { return closure }
        guard let timeout = limits.idleTimeout, !state.hasUnacknowledged,
            min(state.sinceReceived, state.sinceSent) >= timeout
        else { return nil }
        return Closure(reason: .idle, detail: "no bytes in either direction for \(timeout.text) (--idle-timeout)")
    }

    private mutating func stalled(_ number: UInt32, _ state: TCPState, _ now: Duration) -> Closure? {
        guard let timeout = limits.writeTimeout else { return nil }
        guard state.hasUnacknowledged else {
            stalls[number] = nil
            return nil
        }
        if let progress = stalls[number], progress.byteCount == state.acknowledgedByteCount {
            guard now - progress.since >= timeout else { return nil }
            return Closure(
                reason: .stalled, detail: "the client accepted no reply bytes for \(timeout.text) (--write-timeout)")
        }
        stalls[number] = Progress(byteCount: state.acknowledgedByteCount, since: now)
        return nil
    }

    private mutating func slow(_ number: UInt32, _ state: TCPState, _ isInMessage: Bool, _ now: Duration) -> Closure? {
        guard let rate = limits.minReadRate else { return nil }
        // The minimum rate does not apply while replies are unacknowledged, because back-pressure may then prevent the
        // client from sending.
        guard isInMessage, !state.hasUnacknowledged else {
            openMessages[number] = nil
            return nil
        }
        if let progress = openMessages[number] {
            let time = now - progress.since
            guard time >= limits.rateWindow else { return nil }
            let count = state.receivedByteCount &- progress.byteCount
            if Double(count) < Double(rate) * (time / .seconds(1)) {
                return Closure(
                    reason: .slow,
                    detail: "\(count) bytes of an open message in \(time.text), minimum \(rate)/s (--min-read-rate)")
            }
        }
        openMessages[number] = Progress(byteCount: state.receivedByteCount, since: now)
        return nil
    }

    /// Discards the state of a connection that has closed.
    mutating func forget(_ number: UInt32) {
        if !stalls.isEmpty { stalls[number] = nil }
        if !openMessages.isEmpty { openMessages[number] = nil }
    }
}
