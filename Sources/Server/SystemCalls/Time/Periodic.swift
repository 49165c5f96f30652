/// Work that is due at regular times; the first time is at once.
public struct Periodic: Sendable {
    private let interval: Duration

    /// When the work is due next, as a monotonic time.
    public private(set) var next = Duration.zero

    /// Makes work that is due once per interval, of a millisecond at least.
    public init(every interval: Duration) { self.interval = max(interval, .milliseconds(1)) }

    /// Consumes the current occurrence if it is due.
    ///
    /// Occurrences that were missed altogether are skipped.
    ///
    /// - Parameter now: a monotonic time.
    /// - Returns: how late the occurrence is; `nil` if it is not due.
    public mutating func take(_ now: Duration) -> Duration? {
        if next == .zero {
            next = now + interval
            return .zero
        }
        guard next <= now else { return nil }
        defer { while next <= now { next += interval } }
        return now - next
    }
}
