import Measurements

/// The sections of one load of a comparison.
struct LoadSections {
    private let load: LoadReport
    private let isAlone: Bool

    init(_ load: LoadReport, isAlone: Bool) {
        self.load = load
        self.isAlone = isAlone
    }

    var all: [ComparisonTables.Section] {
        [verdicts, latencies, ratios, matrix, costs, conditions].compactMap { $0 }
    }

    private var verdicts: ComparisonTables.Section {
        var section = ComparisonTables.Section(title: isAlone ? nil : "\(load.plan.name): \(load.plan.title)")
        for comparison in load.comparisons {
            section.sentences.append(comparison.sentence)
            section.sentences += comparison.reasons.map { "  \($0)" }
            if let difference = comparison.headline?.differenceNanoseconds {
                section.sentences.append("  the difference is \(LoadSections.microseconds(difference)) µs")
            }
            if let slower = comparison.referenceSlower {
                section.sentences.append(
                    "  a request to \(comparison.reference) is slower than its pair to \(comparison.candidate) "
                        + "with probability \(RatioText.text(slower))")
            }
            if let row = comparison.undisturbed, comparison.undisturbedBlocks < load.plan.circumstances.blocks {
                section.sentences.append(
                    "  in the \(comparison.undisturbedBlocks) undisturbed blocks of \(load.plan.circumstances.blocks) "
                        + "the ratio is \(RatioText.text(row.ratio))")
            }
        }
        return section
    }

    private var latencies: ComparisonTables.Section {
        var section = ComparisonTables.Section()
        section.head = ["µs", "server"] + Percentile.reported.map(\.description) + ["max", "requests"]
        for clock in LatencyClock.allCases {
            for variant in load.variants {
                guard let summary = variant.latency(clock) else { continue }
                let readings = Percentile.reported.map { percentile in
                    summary.nanoseconds(at: percentile).map(LoadSections.digits) ?? "n/a"
                }
                section.rows.append(
                    [clock.title, name(variant)] + readings
                        + [LoadSections.digits(summary.maxNanoseconds), "\(summary.count)"])
            }
        }
        return section
    }

    private func name(_ variant: VariantResult) -> String {
        switch variant.role {
        case .reference: "\(variant.name) (reference)"
        case .control: "\(variant.name) (A/A)"
        case .floor, .candidate: variant.name
        }
    }

    private var ratios: ComparisonTables.Section? {
        var section = ComparisonTables.Section()
        let compared = [("A/A", load.controlRows)] + load.comparisons.map { ($0.candidate, $0.rows) }
        let percentiles = [Percentile.p50, .p90, .p99, .p999]
        section.head = ["ratio to the reference", ""] + percentiles.map(\.description)
        for (name, rows) in compared {
            for clock in LatencyClock.allCases {
                let found = percentiles.map { percentile in
                    rows.first { $0.percentile == percentile && $0.clock == clock }.map { RatioText.text($0.ratio) }
                        ?? "n/a"
                }
                if found.contains(where: { $0 != "n/a" }) { section.rows.append([name, clock.title] + found) }
            }
        }
        return section.rows.isEmpty ? nil : section
    }

    private var matrix: ComparisonTables.Section? {
        guard !load.matrix.isEmpty else { return nil }
        let names = load.variants.map(\.name).filter { name in load.matrix.contains { $0.row == name } }
        var section = ComparisonTables.Section()
        section.head = ["row / column"] + names
        section.rows = names.map { row in
            [row]
                + names.map { column in
                    load.matrix.first { $0.row == row && $0.column == column }.map { RatioText.text($0.ratio) } ?? ""
                }
        }
        return section
    }

    private var costs: ComparisonTables.Section? {
        var section = ComparisonTables.Section()
        section.head = [
            "cost", "processor µs/request", "context switches/request", "system calls/request", "bytes/connection",
            "threads",
        ]
        for variant in load.variants {
            guard let cost = variant.cost else { continue }
            func text(_ value: Double?, _ places: Int) -> String {
                value.map { DecimalText.fixed($0, places: places) } ?? "n/a"
            }
            section.rows.append([
                variant.name, text(cost.processorMicrosecondsPerRequest, 2), text(cost.contextSwitchesPerRequest, 2),
                text(cost.systemCallsPerRequest, 2), text(cost.residentBytesPerConnection, 0),
                cost.threads.map { "\($0)" } ?? "n/a",
            ])
        }
        return section.rows.isEmpty ? nil : section
    }

    private var conditions: ComparisonTables.Section {
        var section = ComparisonTables.Section()
        let generator = load.generator
        var parts = [
            "generator lag p50 \(LoadSections.digits(generator.lagP50Nanoseconds)) µs, p99 "
                + "\(LoadSections.digits(generator.lagP99Nanoseconds)) µs, "
                + "\(DecimalText.fixed(generator.lateShare * 100, places: 2))% late"
        ]
        if let share = generator.ceilingShare {
            parts.append("\(DecimalText.fixed(share * 100, places: 1))% of its ceiling")
        }
        section.sentences.append(parts.joined(separator: ", "))
        if let noiseFloor = load.noiseFloor {
            let share = noiseFloor.share.map { DecimalText.fixed($0 * 100, places: 1) + "%" } ?? "n/a"
            section.sentences.append("noise floor \(share): A/A \(noiseFloor.text)")
        }
        let contended = load.variants.reduce(0) { $0 + $1.faults.contendedSlots }
        section.sentences.append(
            "\(load.plan.warmUpRequests) warm-up requests not counted, \(contended) slots contended, steal "
                + "\(DecimalText.fixed(load.platform.meanStealShare * 100, places: 1))%")
        section.sentences += load.warnings.map { "warning: \($0)" }
        return section
    }

    private static func digits(_ nanoseconds: Double) -> String { DecimalText.fixed(nanoseconds / 1000, places: 1) }

    private static func microseconds(_ estimate: BlockEstimate) -> String {
        let interval = estimate.interval.map { "[\(digits($0.lower)), \(digits($0.upper))]" } ?? "[n/a]"
        return "\(digits(estimate.value)) \(interval)"
    }
}
