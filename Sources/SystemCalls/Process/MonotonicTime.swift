public import CLinux

/// The clock that no one sets, as nanoseconds.
public enum MonotonicTime {
    /// Nanoseconds since some moment before the program began (`CLOCK_MONOTONIC`).
    @inlinable
    @inline(__always)
    public static func nanoseconds() -> UInt64 { UInt64(truncatingIfNeeded: clinux_monotonic_nanoseconds()) }

    /// Lets the calling thread's waits end at their time and not up to 50 µs later (`PR_SET_TIMERSLACK`).
    public static func waitExactly() { _ = clinux_set_timer_slack(1) }
}
