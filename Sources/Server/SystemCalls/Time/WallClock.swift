internal import Glibc

/// The real-time clock.
public enum WallClock {
    /// Returns the current local time in the form `2017-09-16 14:14:17,763` (`clock_gettime`, `localtime_r`,
    /// `strftime`).
    public static func localTimestamp() -> String {
        let now = time()
        return text(now, "%Y-%m-%d %H:%M:%S", isLocal: true) + "," + milliseconds(now)
    }

    /// Returns the current UTC time in the form `2017-09-16T14:14:17Z`, or `2017-09-16T14:14:17.763Z` with
    /// milliseconds.
    public static func utcTimestamp(hasMilliseconds: Bool = false) -> String {
        let now = time()
        return text(now, "%Y-%m-%dT%H:%M:%S") + (hasMilliseconds ? "." + milliseconds(now) : "") + "Z"
    }

    /// Returns a time in the form `Sun, 06 Nov 1994 08:49:37 GMT`; by default the current time.
    public static func httpDate(secondsSince1970 seconds: Int? = nil) -> String {
        text(timespec(tv_sec: seconds ?? time().tv_sec, tv_nsec: 0), "%a, %d %b %Y %H:%M:%S GMT")
    }

    /// The current time in seconds since 1970 (`clock_gettime`).
    public static var secondsSince1970: Double {
        let now = time()
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }

    private static func time() -> timespec {
        var now = timespec()
        unsafe _ = clock_gettime(CLOCK_REALTIME, &now)
        return now
    }

    /// Formats a time with `strftime`, in the C locale, because the programs of this package set no other locale.
    private static func text(_ time: timespec, _ format: String, isLocal: Bool = false) -> String {
        var seconds = time.tv_sec
        var parts = unsafe tm()
        unsafe _ = isLocal ? localtime_r(&seconds, &parts) : gmtime_r(&seconds, &parts)
        return unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
            guard let base = buffer.baseAddress, unsafe strftime(base, 64, format, &parts) > 0 else { return "" }
            return unsafe String(cString: base)
        }
    }

    private static func milliseconds(_ time: timespec) -> String {
        String(String(1000 + time.tv_nsec / 1_000_000).dropFirst())
    }
}
