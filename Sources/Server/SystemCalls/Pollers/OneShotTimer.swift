internal import CLinux
internal import Glibc

/// A timer with a descriptor that a poller can wait for (`timerfd`).
public struct OneShotTimer: ~Copyable, Sendable {
    private let descriptor: FileDescriptor

    /// Whether the timer has been started, and has not been cleared since.
    public private(set) var isStarted = false

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
    public mutating func start(after delay: Duration) {
        isStarted = true
        clinux_start_timer(rawValue, Int(clamping: max(delay, .milliseconds(1)).nanoseconds))
    }

    /// Makes the descriptor unreadable until the timer fires again (`read`).
    public mutating func clear() {
        isStarted = false
        var count: UInt64 = 0
        unsafe _ = read(descriptor.rawValue, &count, MemoryLayout<UInt64>.size)
    }
}

extension Poller where Self: ~Copyable {
    /// Stops watching a descriptor, and starts a timer that the poller watches.
    ///
    /// If the poller cannot stop watching the descriptor, it may report the descriptor before the timer fires.
    public mutating func pause(_ descriptor: Int32, for duration: Duration, _ timer: inout OneShotTimer) {
        try? modify(descriptor, [])
        timer.start(after: duration)
    }

    /// Watches a descriptor again after its timer has fired, or starts the timer again if that fails.
    public mutating func resume(_ descriptor: Int32, _ timer: inout OneShotTimer) {
        do throws(SystemCallError) { try modify(descriptor, .readable) } catch { timer.start(after: .seconds(1)) }
    }
}
