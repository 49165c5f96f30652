internal import Logging

/// Logs the number of rejected connections, at most once a second.
struct RejectionLog {
    private var unreported: [RejectionReason: (count: Int, detail: String)] = [:]
    private var lastReport: Duration?
    private let logger: Logger

    init(logger: Logger) { self.logger = logger }

    /// The time at which the next report is due; `nil` if all rejections have been logged.
    var nextReport: Duration? { unreported.isEmpty ? nil : lastReport.map { $0 + .seconds(1) } ?? .zero }

    /// Records rejected connections, and logs them unless the last report is less than a second old.
    ///
    /// - Parameter now: a monotonic time.
    mutating func record(_ reason: RejectionReason, _ detail: String, count: Int = 1, at now: Duration) {
        guard count > 0 else { return }
        unreported[reason] = (count + (unreported[reason]?.count ?? 0), detail)
        report(at: now)
    }

    /// Logs the unreported rejections, unless the last report is less than a second old.
    mutating func report(at now: Duration) {
        guard let nextReport, nextReport <= now else { return }
        reportAll()
        lastReport = now
    }

    /// Logs all unreported rejections.
    mutating func reportAll() {
        for (reason, rejections) in unreported.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            logger.warning(
                "rejected connections",
                metadata: [
                    "count": "\(rejections.count)", "limit": "\(reason.rawValue)", "reason": "\(rejections.detail)",
                ])
        }
        unreported = [:]
    }
}
