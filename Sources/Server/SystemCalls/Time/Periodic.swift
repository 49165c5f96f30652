/// A schedule of work that is due immediately and then at regular intervals.
public struct Periodic: Sendable {
    private let interval: Duration

    /// The monotonic time at which the work is due next, or zero before the first call to `take`.
    public private(set) var next = Duration.zero

    /// Makes a schedule of work that is due once per interval.
    ///
    /// The interval is at least a millisecond.
    public init(every interval: Duration) { self.interval = max(interval, .milliseconds(1)) }

    /// Checks whether the work is due, and schedules it again if it is.
    ///
    /// If several intervals have passed since the last call, the work is still due only once.
    ///
    /// - Parameter now: a monotonic time.
    /// - Returns: how late the work is, or `nil` if it is not due.
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
