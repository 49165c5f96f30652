import Comparison
import Measurements
import SystemCalls
import Terminal

/// Shows the progress of a comparison on standard error.
enum ComparisonProgressLine {
    /// Prints what is compared and the expected duration.
    static func announce(_ plan: ComparisonPlan) {
        let names = plan.servers.map(\.name)
        let loads = plan.loads.map(\.name).joined(separator: ", ")
        let compared = EscapedText.escaping("\(names.dropFirst().joined(separator: ", ")) with \(names[0])")
        Console.writeError(
            "comparing \(compared): \(loads); \(plan.starts) starts, \(plan.blocks) blocks per load, "
                + "seed \(plan.seed); about \(Int((plan.expectedTime / .seconds(1)).rounded())) s\n")
    }

    /// Shows the progress and the ratio so far, if standard error is a terminal.
    static func show(_ progress: ServerComparison.Progress) {
        guard Console.errorIsTerminal else { return }
        let ratio = progress.ratio.map(RatioText.text) ?? ""
        Console.writeProgress("\r\(progress.load): block \(progress.done) of \(progress.total)  \(ratio)\u{1B}[K")
    }

    /// Removes the progress line.
    static func end() { if Console.errorIsTerminal { Console.writeProgress("\r\u{1B}[K") } }
}
