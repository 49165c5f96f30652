internal import CLinux
internal import Glibc

/// A descriptor that becomes readable again and again (`timerfd_create`), for a poller to wait for.
public struct IntervalTimer: ~Copyable, Sendable {
    private let descriptor: FileDescriptor

    /// The descriptor's number, readable once an interval has passed; it stays this value's.
    public var rawValue: Int32 { descriptor.rawValue }

    /// Makes a timer that runs.
    ///
    /// - Parameter interval: from now to the first time, and from each to the next; at least a millisecond.
    public init(every interval: Duration) throws(SystemCallError) {
        let (seconds, attoseconds) = max(interval, .milliseconds(1)).components
        let (nanoseconds, overflows) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
        let timer = clinux_interval_timer(overflows ? .max : Int(nanoseconds) &+ Int(attoseconds / 1_000_000_000))
        guard timer >= 0 else { throw SystemCallError(code: Int32(clamping: -timer), call: "timerfd_create") }
        descriptor = FileDescriptor(owning: Int32(clamping: timer))
    }

    /// Makes the descriptor unreadable until the next interval has passed (`read`).
    public func clear() {
        var count: UInt64 = 0
        unsafe _ = read(descriptor.rawValue, &count, MemoryLayout<UInt64>.size)
    }
}
