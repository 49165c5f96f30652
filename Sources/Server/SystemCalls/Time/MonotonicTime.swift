internal import Glibc

/// The monotonic clock.
public enum MonotonicTime {
    /// The time in nanoseconds since an arbitrary start (`clock_gettime` of `CLOCK_MONOTONIC`).
    public static func nanoseconds() -> UInt64 {
        var now = timespec()
        unsafe _ = clock_gettime(CLOCK_MONOTONIC, &now)
        return UInt64(truncatingIfNeeded: now.tv_sec &* 1_000_000_000 &+ now.tv_nsec)
    }

    /// The time in nanoseconds since an arbitrary start, as an `Int` that fits into a `Counter`.
    public static var now: Int { Int(truncatingIfNeeded: nanoseconds()) }
}
