/// When a server has warmed up: a minimum of windows has passed, and the medians of the last ones agree.
///
/// What was recorded until then does not count, but how much it was is told.
public struct WarmUp: Sendable {
    /// How many windows at the end must agree.
    public static let agreeingWindows = 3
    /// By how much the greatest of their medians may exceed the smallest.
    public static let tolerance = 0.05

    /// Whether the load is to be measured from here on.
    public private(set) var isOver = false
    /// Whether warm-up ended because its windows ran out, and not because they agreed.
    public private(set) var gaveUp = false
    /// How many requests were dropped.
    public private(set) var droppedCount = 0
    /// How many windows there were.
    public private(set) var windowCount = 0

    private let minimum: Int
    private let limit: Int
    private var medians: [Double] = []

    /// Begins a warm-up.
    ///
    /// - Parameters:
    ///   - minWindows: how many windows it takes at least.
    ///   - maxWindows: after how many it ends whatever they say.
    public init(minWindows: Int, maxWindows: Int) {
        minimum = max(minWindows, WarmUp.agreeingWindows)
        limit = max(minimum, maxWindows)
    }

    /// Takes note of a window.
    ///
    /// - Parameters:
    ///   - median: the median latency of its requests, in any unit; windows without requests do not count as agreeing.
    ///   - requestCount: how many requests it had.
    /// - Returns: whether warm-up is over.
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
