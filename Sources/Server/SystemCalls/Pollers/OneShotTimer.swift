internal import CLinux
internal import Glibc

/// A timer as a descriptor that a poller waits for (`timerfd`).
public struct OneShotTimer: ~Copyable, Sendable {
    private let descriptor: FileDescriptor

    /// The descriptor, readable once the timer has fired; only this value closes it.
    public var rawValue: Int32 { descriptor.rawValue }

    /// Makes a timer that is not started (`timerfd_create`).
    public init() throws(SystemCallError) {
        let timer = clinux_timer()
        guard timer >= 0 else { throw SystemCallError(code: Int32(clamping: -timer), call: "timerfd_create") }
        descriptor = FileDescriptor(owning: Int32(clamping: timer))
    }

    /// Starts the timer, or starts it again (`timerfd_settime`).
    ///
    /// - Parameter delay: the time until it fires, at least a millisecond.
    public func start(after delay: Duration) {
        clinux_start_timer(rawValue, Int(clamping: max(delay, .milliseconds(1)).nanoseconds))
    }

    /// Makes the descriptor unreadable until the timer fires again (`read`).
    public func clear() {
        var count: UInt64 = 0
        unsafe _ = read(descriptor.rawValue, &count, MemoryLayout<UInt64>.size)
    }
}
