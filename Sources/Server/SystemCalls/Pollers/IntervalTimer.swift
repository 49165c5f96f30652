internal import CLinux
internal import Glibc

/// A descriptor that becomes readable at regular intervals (`timerfd_create`), for use with a poller.
public struct IntervalTimer: ~Copyable, Sendable {
    private let descriptor: FileDescriptor

    /// The descriptor's number, readable after an interval; only this value closes it.
    public var rawValue: Int32 { descriptor.rawValue }

    /// Makes a running timer.
    ///
    /// - Parameter interval: the time until the descriptor becomes readable, at least one millisecond.
    public init(every interval: Duration) throws(SystemCallError) {
        let timer = clinux_interval_timer(Int(clamping: max(interval, .milliseconds(1)).nanoseconds))
        guard timer >= 0 else { throw SystemCallError(code: Int32(clamping: -timer), call: "timerfd_create") }
        descriptor = FileDescriptor(owning: Int32(clamping: timer))
    }

    /// Makes the descriptor unreadable until the next interval has passed (`read`).
    public func clear() {
        var count: UInt64 = 0
        unsafe _ = read(descriptor.rawValue, &count, MemoryLayout<UInt64>.size)
    }
}
