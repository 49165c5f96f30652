/// A schedule of work that is due immediately and then at regular intervals.
public struct Periodic: Sendable {
    private let interval: Duration

    /// The monotonic time at which the work is due next, or zero before the first occurrence.
    public private(set) var next = Duration.zero

    /// Makes a schedule with one occurrence per interval.
    ///
    /// The interval is at least a millisecond.
    public init(every interval: Duration) { self.interval = max(interval, .milliseconds(1)) }

    /// Takes the current occurrence if it is due, and schedules the next occurrence.
    ///
    /// If several occurrences are due, they count as one.
    ///
    /// - Parameter now: a monotonic time.
    /// - Returns: how late the occurrence is, or `nil` if no occurrence is due.
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
