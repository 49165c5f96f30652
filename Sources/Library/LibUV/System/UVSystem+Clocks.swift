internal import CLibUV

extension UVSystem {
    /// The monotonic time in nanoseconds since an arbitrary origin, for measuring durations (`uv_hrtime`).
    ///
    /// Unlike `UVLoop.now`, the value is not cached.
    public static var monotonicTime: Duration { .nanoseconds(Int64(clamping: uv_hrtime())) }

    /// The real time since the beginning of 1970 in UTC, with a resolution of a microsecond (`uv_gettimeofday`).
    ///
    /// The value jumps when the clock is set, so do not use it to measure durations.
    ///
    /// - Throws: a system error if the value is not available.
    public static var timeOfDay: Duration {
        get throws(UVError) {
            var time = uv_timeval64_t()
            try unsafe check(uv_gettimeofday(&time), "uv_gettimeofday")
            return .seconds(time.tv_sec) + .microseconds(Int64(time.tv_usec))
        }
    }
}
