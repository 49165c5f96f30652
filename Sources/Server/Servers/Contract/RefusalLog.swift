internal import Logging

/// Says that clients are being refused, at most once a second for each reason, however many they are.
struct RefusalLog {
    private var unreported: [RefusalReason: (count: Int, detail: String)] = [:]
    private var lastReport: Duration?
    private let logger: Logger

    init(logger: Logger) { self.logger = logger }

    /// Whether something is still to be said: by the next `note`, or by `report` once a second has passed.
    var hasUnreported: Bool { !unreported.isEmpty }

    /// Notes refused clients, and logs it unless that was done less than a second ago.
    ///
    /// - Parameters:
    ///   - reason: why the client was refused.
    ///   - detail: the reason in words.
    ///   - count: how many were.
    ///   - now: a monotonic time.
    mutating func note(_ reason: RefusalReason, _ detail: String, count: Int = 1, at now: Duration) {
        guard count > 0 else { return }
        unreported[reason] = (count + (unreported[reason]?.count ?? 0), detail)
        report(at: now)
    }

    /// Says what has not been said, unless something was said less than a second ago.
    mutating func report(at now: Duration) {
        if let lastReport, now - lastReport < .seconds(1) { return }
        guard hasUnreported else { return }
        reportAll()
        lastReport = now
    }

    /// Says what has not been said.
    mutating func reportAll() {
        for (reason, refusals) in unreported.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            logger.warning(
                "refused clients",
                metadata: [
                    "count": "\(refusals.count)", "limit": "\(reason.rawValue)", "reason": "\(refusals.detail)",
                ])
        }
        unreported = [:]
    }
}
