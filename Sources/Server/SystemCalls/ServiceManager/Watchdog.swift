/// The watch that a service manager keeps on a process (`WATCHDOG_USEC`, `WATCHDOG_PID`).
public struct Watchdog: Hashable, Sendable {
    /// How long the manager goes without a sign of life before it takes the process for hung.
    public let timeout: Duration

    /// How often to give a sign of life: half of the timeout, as the manager's manual asks for.
    public var interval: Duration { timeout / 2 }

    /// Reads what is asked of a process; `nil` where nothing is, or of another process.
    ///
    /// - Throws: where a variable is no number, or the time is zero.
    public init?(environment: [String: String], process: Int32) throws(ServiceManagerError) {
        let watched = try ServiceVariable.number("WATCHDOG_PID", in: environment)
        guard let microseconds = try ServiceVariable.number("WATCHDOG_USEC", in: environment) else { return nil }
        if let watched, watched != UInt64(process) { return nil }
        guard microseconds > 0, let count = Int64(exactly: microseconds) else {
            throw ServiceVariable.wrong(
                "WATCHDOG_USEC", "\(microseconds)", "is no time; the manager writes microseconds, at least 1")
        }
        timeout = .microseconds(count)
    }
}
