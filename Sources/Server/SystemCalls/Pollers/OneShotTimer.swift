internal import CLinux
internal import Glibc

/// A timer with a descriptor that a poller can wait for (`timerfd`).
public struct OneShotTimer: ~Copyable, Sendable {
    private let descriptor: FileDescriptor

    /// The descriptor's number.
    ///
    /// The descriptor is readable once the timer has fired. The caller must not close the descriptor.
    public var rawValue: Int32 { descriptor.rawValue }

    /// Makes a timer, but does not start it (`timerfd_create`).
    public init() throws(SystemCallError) {
        let timer = clinux_timer()
        guard timer >= 0 else { throw SystemCallError(code: Int32(clamping: -timer), call: "timerfd_create") }
        descriptor = FileDescriptor(owning: Int32(clamping: timer))
    }

    /// Starts or restarts the timer (`timerfd_settime`).
    ///
    /// - Parameter delay: the time until the timer fires. A delay of less than a millisecond counts as a millisecond.
    public func start(after delay: Duration) {
        clinux_start_timer(rawValue, Int(clamping: max(delay, .milliseconds(1)).nanoseconds))
    }

    /// Makes the descriptor unreadable until the timer fires again (`read`).
    public func clear() {
        var count: UInt64 = 0
        unsafe _ = read(descriptor.rawValue, &count, MemoryLayout<UInt64>.size)
    }
}
