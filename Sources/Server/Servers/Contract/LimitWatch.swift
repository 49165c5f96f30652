internal import SystemCalls

/// Tells which connections have gone beyond their limits, from what the kernel says of them now and then.
///
/// Something is kept of a connection only while it takes nothing or has a message open.
struct LimitWatch {
    private let limits: ConnectionLimits
    private var stalls: [UInt32: Progress] = [:]
    private var slowReads: [UInt32: Progress] = [:]

    /// How far a connection had come, and since when it has not come further.
    private struct Progress {
        var byteCount: UInt64
        var since: Duration
    }

    init(_ limits: ConnectionLimits) { self.limits = limits }

    /// Looks at a connection.
    ///
    /// - Parameters:
    ///   - number: the connection.
    ///   - state: what the kernel knows of it.
    ///   - isInMessage: whether a message of the client is open.
    ///   - now: a monotonic time.
    /// - Returns: why the connection is to be ended, if it is.
    mutating func look(
        at number: UInt32, _ state: TCPState, isInMessage: Bool, now: Duration
    ) -> ConnectionEnd? {
        if let end = stalled(number, state, now) { return end }
        if let end = slow(number, state, isInMessage, now) { return end }
        guard let timeout = limits.idleTimeout, !state.hasUnacknowledged,
            min(state.sinceReceived, state.sinceSent) >= timeout
        else { return nil }
        return ConnectionEnd(reason: .idle, detail: "nothing came or went for \(timeout.text) (--idle-timeout)")
    }

    private mutating func stalled(_ number: UInt32, _ state: TCPState, _ now: Duration) -> ConnectionEnd? {
        guard let timeout = limits.writeTimeout else { return nil }
        guard state.hasUnacknowledged else {
            stalls[number] = nil
            return nil
        }
        if let progress = stalls[number], progress.byteCount == state.acknowledgedByteCount {
            guard now - progress.since >= timeout else { return nil }
            return ConnectionEnd(
                reason: .stalled, detail: "the client took no byte of its answers for \(timeout.text) (--write-timeout)"
            )
        }
        stalls[number] = Progress(byteCount: state.acknowledgedByteCount, since: now)
        return nil
    }

    private mutating func slow(
        _ number: UInt32, _ state: TCPState, _ isInMessage: Bool, _ now: Duration
    ) -> ConnectionEnd? {
        guard let rate = limits.minReadRate else { return nil }
        // A client that does not get rid of its answers cannot send either.
        guard isInMessage, !state.hasUnacknowledged else {
            slowReads[number] = nil
            return nil
        }
        if let progress = slowReads[number] {
            let time = now - progress.since
            guard time >= limits.rateWindow else { return nil }
            let count = state.receivedByteCount &- progress.byteCount
            if Double(count) < Double(rate) * (time / .seconds(1)) {
                return ConnectionEnd(
                    reason: .slow,
                    detail: "\(count) bytes of a message came in \(time.text), of \(rate) a second (--min-read-rate)")
            }
        }
        slowReads[number] = Progress(byteCount: state.receivedByteCount, since: now)
        return nil
    }

    /// Forgets a connection that has closed.
    mutating func forget(_ number: UInt32) {
        if !stalls.isEmpty { stalls[number] = nil }
        if !slowReads.isEmpty { slowReads[number] = nil }
    }
}

extension Duration {
    /// As a person writes it: `500 ms`, `2.5 s`.
    var text: String {
        let milliseconds = Int(self / .milliseconds(1))
        if milliseconds < 1000 { return "\(milliseconds) ms" }
        if milliseconds % 1000 == 0 { return "\(milliseconds / 1000) s" }
        return "\(milliseconds / 1000).\(milliseconds % 1000 / 100) s"
    }
}
