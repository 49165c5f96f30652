import Measurements

/// The sections of the report for one load.
struct LoadSections {
    typealias Section = ComparisonTables.Section

    let load: LoadReport
    let isAlone: Bool

    var all: [Section] {
        [verdicts, latencies] + [ratios, matrix, costs].filter { !$0.rows.isEmpty } + [conditions]
    }

    private var verdicts: Section {
        Section(
            title: isAlone ? nil : "\(load.plan.name): \(load.plan.title)",
            sentences: load.comparisons.flatMap(sentences))
    }

    private func sentences(_ comparison: PairedComparison) -> [String] {
        var sentences = [comparison.sentence] + comparison.reasons.map { "  \($0)" }
        if let difference = comparison.headline?.differenceNanoseconds {
            let interval = difference.interval.map { "[\(LoadText.digits($0.lower)), \(LoadText.digits($0.upper))]" }
            sentences.append("  the latency differs by \(LoadText.digits(difference.value)) \(interval ?? "[n/a]") µs")
        }
        if let slower = comparison.referenceSlower {
            sentences.append(
                "  in a pair, the request to \(comparison.reference) is slower than the request to \(comparison.candidate) "
                    + "with probability \(RatioText.text(slower))")
        }
        if let row = comparison.undisturbed, comparison.undisturbedBlocks < load.plan.circumstances.blocks {
            sentences.append(
                "  in the \(comparison.undisturbedBlocks) undisturbed blocks, out of \(load.plan.circumstances.blocks), "
                    + "the ratio is \(RatioText.text(row.ratio))")
        }
        return sentences
    }

    private var latencies: Section {
        Section(
            head: ["µs", "server"] + Percentile.reported.map(\.description) + ["max", "requests"],
            rows: LatencyClock.allCases.flatMap { clock in
                load.variants.compactMap { variant in
                    guard let summary = variant.latency(clock) else { return nil }
                    let readings = summary.readings.map { $0.nanoseconds.map(LoadText.digits) ?? "n/a" }
                    return [clock.title, name(variant)] + readings
                        + [LoadText.digits(summary.maxNanoseconds), "\(summary.count)"]
                }
            })
    }

    private func name(_ variant: VariantResult) -> String {
        switch variant.role {
        case .reference: "\(variant.name) (reference)"
        case .control: "\(variant.name) (A/A)"
        case .floor, .candidate: variant.name
        }
    }

    private var ratios: Section {
        let percentiles = [Percentile.p50, .p90, .p99, .p999]
        var section = Section(head: ["ratio to the reference", ""] + percentiles.map(\.description))
        for (name, rows) in [("A/A", load.controlRows)] + load.comparisons.map({ ($0.candidate, $0.rows) }) {
            for clock in LatencyClock.allCases {
                let found = percentiles.map { percentile in
                    rows.first { $0.percentile == percentile && $0.clock == clock }.map { RatioText.text($0.ratio) }
                }
                if found.contains(where: { $0 != nil }) {
                    section.rows.append([name, clock.title] + found.map { $0 ?? "n/a" })
                }
            }
        }
        return section
    }

    private var matrix: Section {
        let names = load.variants.map(\.name).filter { name in load.matrix.contains { $0.row == name } }
        return Section(head: ["row / column"] + names, rows: load.matrixRows(names, diagonal: ""))
    }

    private var costs: Section {
        Section(
            head: [
                "cost", "processor µs/request", "context switches/request", "system calls/request", "bytes/connection",
                "threads",
            ],
            rows: load.variants.compactMap { variant in
                guard let cost = variant.cost else { return nil }
                let numbers = [
                    (cost.processorMicrosecondsPerRequest, 2), (cost.contextSwitchesPerRequest, 2),
                    (cost.systemCallsPerRequest, 2), (cost.residentBytesPerConnection, 0),
                    (cost.threads.map { Double($0) }, 0),
                ]
                return [variant.name]
                    + numbers.map { number, places in number.map { DecimalText.fixed($0, places: places) } ?? "n/a" }
            })
    }

    private var conditions: Section {
        let generator = load.generator
        var parts = [
            "generator lag p50 \(LoadText.digits(generator.lagP50Nanoseconds)) µs, p99 "
                + "\(LoadText.digits(generator.lagP99Nanoseconds)) µs, "
                + "\(DecimalText.fixed(generator.lateShare * 100, places: 2))% of requests late"
        ]
        if let share = generator.ceilingShare {
            parts.append("load \(DecimalText.fixed(share * 100, places: 1))% of the highest possible rate")
        }
        var section = Section(sentences: [parts.joined(separator: ", ")])
        if let noiseFloor = load.noiseFloor {
            let share = noiseFloor.share.map { DecimalText.fixed($0 * 100, places: 1) + "%" } ?? "n/a"
            section.sentences.append("noise floor \(share): A/A \(noiseFloor.text)")
        }
        let contended = load.variants.reduce(0) { $0 + $1.faults.contendedSlots }
        section.sentences.append(
            "\(load.plan.warmUpRequests) warm-up requests not measured, \(contended) requests contended, steal "
                + "\(DecimalText.fixed(load.platform.meanStealShare * 100, places: 1))%")
        section.sentences += load.warnings.map { "warning: \($0)" }
        return section
    }
}
