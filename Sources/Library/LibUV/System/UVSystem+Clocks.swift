internal import CLibUV

extension UVSystem {
    /// A monotonic instant to measure intervals with, in nanoseconds from one that is arbitrary (`uv_hrtime`).
    ///
    /// Read anew at each call, unlike `UVLoop.now`.
    public static var monotonicTime: Duration { .nanoseconds(Int64(clamping: uv_hrtime())) }

    /// The time of day, from the beginning of 1970 in UTC, in microseconds (`uv_gettimeofday`).
    ///
    /// It jumps when somebody sets the clock: do not measure intervals with it.
    ///
    /// - Throws: the system's code, where it does not tell.
    public static var timeOfDay: Duration {
        get throws(UVError) {
            var time = uv_timeval64_t()
            try unsafe check(uv_gettimeofday(&time), "uv_gettimeofday")
            return .seconds(time.tv_sec) + .microseconds(Int64(time.tv_usec))
        }
    }
}
