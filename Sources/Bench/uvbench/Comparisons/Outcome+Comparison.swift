import Measurements

extension Outcome {
    init(_ report: ComparisonReport, requiring required: RequiredVerdict?) {
        for load in report.loads {
            let place = report.loads.count > 1 ? "\(load.plan.name): " : ""
            failures += load.variants.filter { !$0.faults.isClean }.map {
                "\(place)\($0.name) sent wrong replies, or did not send some replies"
            }
            objections += load.generator.objections.map { place + $0 }
            if let noiseFloor = load.noiseFloor, noiseFloor.ratio.interval != nil, !noiseFloor.containsOne {
                objections.append("\(place)the reference and its control differ: the A/A ratio is \(noiseFloor.text)")
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
        case nil: objections.append("\(place)it is undecided whether \(comparison.candidate) is \(required.rawValue)")
        }
    }
}
