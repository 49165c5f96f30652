/// Decides when a server has warmed up: after a minimum number of windows, when the medians of the last ones agree.
///
/// Requests before that do not count, but their number is reported.
public struct WarmUp: Sendable {
    /// The number of last windows that must agree.
    public static let agreeingWindows = 3
    /// The largest relative difference between their medians.
    public static let tolerance = 0.05

    /// Whether the warm-up is over.
    public private(set) var isOver = false
    /// Whether the warm-up ended at the maximum number of windows, without agreement.
    public private(set) var gaveUp = false
    /// The number of requests that do not count.
    public private(set) var droppedCount = 0
    /// The number of windows.
    public private(set) var windowCount = 0

    private let minimum: Int
    private let limit: Int
    private var medians: [Double] = []

    /// Begins a warm-up.
    ///
    /// - Parameters:
    ///   - minWindows: the minimum number of windows.
    ///   - maxWindows: the maximum number of windows.
    public init(minWindows: Int, maxWindows: Int) {
        minimum = max(minWindows, WarmUp.agreeingWindows)
        limit = max(minimum, maxWindows)
    }

    /// Adds a window.
    ///
    /// - Parameters:
    ///   - median: the median latency of its requests, in any unit; `nil` without requests, which is not agreement.
    ///   - requestCount: the number of its requests.
    /// - Returns: whether the warm-up is over.
    public mutating func addWindow(median: Double?, requestCount: Int) -> Bool {
        guard !isOver else { return true }
        windowCount += 1
        droppedCount += requestCount
        if let median { medians.append(median) } else { medians.removeAll() }
        let last = medians.suffix(WarmUp.agreeingWindows)
        let agree =
            last.count == WarmUp.agreeingWindows
            && (last.max() ?? 0) <= (last.min() ?? 0) * (1 + WarmUp.tolerance)
        gaveUp = windowCount >= limit && !agree
        isOver = windowCount >= minimum && agree || gaveUp
        return isOver
    }
}
