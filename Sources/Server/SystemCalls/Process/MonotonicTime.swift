internal import Glibc

/// The clock that no one sets, as nanoseconds.
public enum MonotonicTime {
    /// Nanoseconds since some moment before the program began (`clock_gettime` of `CLOCK_MONOTONIC`).
    public static func nanoseconds() -> UInt64 {
        var now = timespec()
        unsafe _ = clock_gettime(CLOCK_MONOTONIC, &now)
        return UInt64(truncatingIfNeeded: now.tv_sec &* 1_000_000_000 &+ now.tv_nsec)
    }
}
