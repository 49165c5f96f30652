internal import Logging

/// Says that clients are being refused, at most once a second however many they are.
struct RefusalLog {
    private var unreported = 0
    private var lastReport: Duration?

    /// Notes refused clients, and logs it unless that was done less than a second ago.
    ///
    /// - Parameters:
    ///   - reason: why the client was refused.
    ///   - count: how many were.
    ///   - now: a monotonic time.
    ///   - logger: where to say it.
    mutating func note(_ reason: String, count: Int = 1, at now: Duration, to logger: Logger) {
        unreported += count
        if let lastReport, now - lastReport < .seconds(1) { return }
        logger.warning("refused clients", metadata: ["count": "\(unreported)", "reason": "\(reason)"])
        unreported = 0
        lastReport = now
    }
}
