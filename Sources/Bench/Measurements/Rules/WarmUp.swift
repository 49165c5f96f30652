/// Decides when a server has warmed up: after a minimum number of windows, when the medians of the last ones agree.
///
/// Requests before that do not count.
public struct WarmUp: Sendable {
    /// The number of last windows that must agree.
    public static let agreeingWindows = 3
    /// The largest relative difference between their medians.
    public static let tolerance = 0.05

    /// Whether the warm-up is over.
    public private(set) var isOver = false
    private var windowCount = 0
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
    /// - Parameter median: the median latency of its requests, in any unit; `nil` without requests, which is not
    ///   agreement.
    public mutating func addWindow(median: Double?) {
        guard !isOver else { return }
        windowCount += 1
        if let median { medians.append(median) } else { medians.removeAll() }
        let last = medians.suffix(WarmUp.agreeingWindows)
        let agree =
            last.count == WarmUp.agreeingWindows
            && (last.max() ?? 0) <= (last.min() ?? 0) * (1 + WarmUp.tolerance)
        isOver = windowCount >= limit || windowCount >= minimum && agree
    }
}
