internal import Glibc

/// The real-time clock.
public enum WallClock {
    /// The local time in the form `2017-09-16 14:14:17,763` (`clock_gettime`, `localtime_r`).
    public static func localTimestamp() -> String {
        var now = timespec()
        unsafe _ = clock_gettime(CLOCK_REALTIME, &now)
        var parts = unsafe tm()
        unsafe _ = localtime_r(&now.tv_sec, &parts)
        let date = unsafe [parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday].map { padded($0, 2) }
        let time = unsafe [parts.tm_hour, parts.tm_min, parts.tm_sec].map { padded($0, 2) }
        let millis = padded(Int32(now.tv_nsec / 1_000_000), 3)
        return "\(date.joined(separator: "-")) \(time.joined(separator: ":")),\(millis)"
    }

    /// The time in the form `2017-09-16T14:14:17Z`, or `2017-09-16T14:14:17.763Z` (`clock_gettime`, `gmtime_r`).
    public static func utcTimestamp(hasMilliseconds: Bool = false) -> String {
        var now = timespec()
        unsafe _ = clock_gettime(CLOCK_REALTIME, &now)
        var parts = unsafe tm()
        unsafe _ = gmtime_r(&now.tv_sec, &parts)
        let date = unsafe [parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday].map { padded($0, 2) }
        let time = unsafe [parts.tm_hour, parts.tm_min, parts.tm_sec].map { padded($0, 2) }
        let millis = hasMilliseconds ? "." + padded(Int32(now.tv_nsec / 1_000_000), 3) : ""
        return "\(date.joined(separator: "-"))T\(time.joined(separator: ":"))\(millis)Z"
    }

    /// The time in seconds since 1970 (`clock_gettime`).
    public static var secondsSince1970: Double {
        var now = timespec()
        unsafe _ = clock_gettime(CLOCK_REALTIME, &now)
        return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
    }

    private static func padded(_ number: Int32, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
