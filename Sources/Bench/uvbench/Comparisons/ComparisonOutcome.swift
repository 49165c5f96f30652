import ArgumentParser
import Measurements

/// What a comparison ends with: its exit code, and what the user is told of it.
struct ComparisonOutcome {
    /// What went wrong with answers, or does not hold.
    private(set) var failures: [String] = []
    /// Why nothing can be concluded.
    private(set) var objections: [String] = []

    init(_ report: ComparisonReport, requiring required: RequiredVerdict?) {
        for load in report.loads {
            let place = report.loads.count > 1 ? "\(load.plan.name): " : ""
            failures += load.variants.filter { !$0.faults.isClean }.map {
                "\(place)\($0.name) did not answer as it should"
            }
            objections += load.generator.objections.map { place + $0 }
            if let resolution = load.resolution, resolution.ratio.interval != nil, !resolution.holdsOne {
                objections.append("\(place)the reference differs from itself, A/A \(resolution.text)")
            }
            guard let required else { continue }
            for comparison in load.comparisons { require(required, of: comparison, place) }
        }
    }

    private mutating func require(_ required: RequiredVerdict, of comparison: PairedComparison, _ place: String) {
        let sentence = "\(place)\(comparison.candidate) is \(comparison.verdict.rawValue), and not \(required.rawValue)"
        switch required.isMet(by: comparison.verdict) {
        case true?: break
        case false?: failures.append(sentence)
        case nil: objections.append("\(place)whether \(comparison.candidate) is \(required.rawValue) is undecided")
        }
    }

    /// What the program ends with; `nil` for success.
    ///
    /// Wrong answers count even where the figures do not.
    var exitCode: ExitCode? {
        if !failures.isEmpty { return ExitCode(1) }
        return objections.isEmpty ? nil : ExitCode(3)
    }

    /// What the user is told beside the figures.
    var sentences: [String] { failures + objections.map { "nothing can be concluded: \($0)" } }
}
