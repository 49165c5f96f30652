/// Decides when the warm-up of a server is over.
///
/// The warm-up consists of windows of requests. It is over when there have been enough windows and the medians of the
/// last windows agree, or when the maximum number of windows is reached.
///
/// Requests of the warm-up are not measured.
public struct WarmUp: Sendable {
    /// The number of most recent windows whose medians must agree.
    public static let agreeingWindows = 3
    /// The largest relative difference between medians that agree.
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

    /// Adds the result of a window.
    ///
    /// - Parameter median: the median latency of the window's requests, in any unit; `nil` if there were no requests. A
    ///   window without requests agrees with no other window.
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
