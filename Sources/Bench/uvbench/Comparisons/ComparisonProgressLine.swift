import Comparison
import Measurements
import SystemCalls

/// What is told while servers are compared, on standard error.
enum ComparisonProgressLine {
    /// Says what is to come, and how long it takes.
    static func announce(_ plan: ComparisonPlan) {
        let names = plan.servers.map(\.name)
        let loads = plan.loads.map(\.name).joined(separator: ", ")
        Console.writeError(
            "comparing \(names.dropFirst().joined(separator: ", ")) with \(names[0]): \(loads); "
                + "\(plan.starts) starts, \(plan.blocks) blocks for each load, seed \(plan.seed); about "
                + "\(Int((plan.expectedTime / .seconds(1)).rounded())) s\n")
    }

    /// Shows on a terminal how far it is, and the ratio with its interval as it narrows.
    static func show(_ progress: ServerComparison.Progress) {
        guard Console.errorIsTerminal else { return }
        let ratio = progress.ratio.map(RatioText.text) ?? ""
        Console.writeError("\r\(progress.load): block \(progress.done) of \(progress.total)  \(ratio)\u{1B}[K")
    }

    /// Takes the line away.
    static func end() { if Console.errorIsTerminal { Console.writeError("\r\u{1B}[K") } }
}
