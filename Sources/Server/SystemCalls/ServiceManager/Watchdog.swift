/// A service manager's watchdog settings for this process (`WATCHDOG_USEC`, `WATCHDOG_PID`).
public struct Watchdog: Hashable, Sendable {
    /// If this much time passes without a notification, the manager considers the process hung.
    public let timeout: Duration

    /// The interval between notifications: half of the timeout, as systemd's manual recommends.
    public var interval: Duration { timeout / 2 }

    /// Reads the variables, or returns `nil` if `WATCHDOG_USEC` is not set or the variables are meant for another
    /// process.
    ///
    /// - Throws: `ServiceManagerError` if a variable is not a number, or if the timeout is zero.
    public init?(environment: [String: String], process: Int32) throws(ServiceManagerError) {
        let watched = try ServiceVariable.number("WATCHDOG_PID", in: environment)
        guard let microseconds = try ServiceVariable.number("WATCHDOG_USEC", in: environment) else { return nil }
        if let watched, watched != UInt64(process) { return nil }
        guard microseconds > 0, let count = Int64(exactly: microseconds) else {
            throw ServiceVariable.wrong(
                "WATCHDOG_USEC", "\(microseconds)", "must be a timeout in microseconds, at least 1")
        }
        timeout = .microseconds(count)
    }
}
