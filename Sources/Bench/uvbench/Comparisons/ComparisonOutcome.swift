import ArgumentParser
import Measurements

/// The outcome of a comparison: its exit code, and the sentences about it.
struct ComparisonOutcome {
    /// Wrong replies, and requirements that do not hold.
    private(set) var failures: [String] = []
    /// Reasons why nothing can be concluded.
    private(set) var objections: [String] = []

    init(_ report: ComparisonReport, requiring required: RequiredVerdict?) {
        for load in report.loads {
            let place = report.loads.count > 1 ? "\(load.plan.name): " : ""
            failures += load.variants.filter { !$0.faults.isClean }.map {
                "\(place)\($0.name) sent wrong replies, or lost some"
            }
            objections += load.generator.objections.map { place + $0 }
            if let noiseFloor = load.noiseFloor, noiseFloor.ratio.interval != nil, !noiseFloor.containsOne {
                objections.append("\(place)the two copies of the reference differ, A/A \(noiseFloor.text)")
            }
            guard let required else { continue }
            for comparison in load.comparisons { require(required, of: comparison, place) }
        }
    }

    private mutating func require(_ required: RequiredVerdict, of comparison: PairedComparison, _ place: String) {
        let sentence = "\(place)\(comparison.candidate) is \(comparison.verdict.rawValue), not \(required.rawValue)"
        switch required.isMet(by: comparison.verdict) {
        case true?: break
        case false?: failures.append(sentence)
        case nil: objections.append("\(place)whether \(comparison.candidate) is \(required.rawValue) is undecided")
        }
    }

    /// The exit code; `nil` for success.
    ///
    /// Wrong replies count even if nothing can be concluded.
    var exitCode: ExitCode? {
        if !failures.isEmpty { return ExitCode(1) }
        return objections.isEmpty ? nil : ExitCode(3)
    }

    /// The sentences for standard error.
    var sentences: [String] { failures + objections.map { "nothing can be concluded: \($0)" } }
}
