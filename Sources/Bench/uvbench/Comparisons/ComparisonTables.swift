import Measurements
import Terminal

/// The report of a comparison as sentences and tables, in plain text or Markdown.
struct ComparisonTables {
    /// A section of the report: sentences, followed by a table.
    struct Section {
        var title: String?
        var sentences: [String] = []
        var head: [String] = []
        var rows: [[String]] = []
    }

    private let sections: [Section]

    init(_ report: ComparisonReport) {
        let isAlone = report.loads.count == 1
        var sections = report.loads.flatMap { LoadSections(load: $0, isAlone: isAlone).all }
        if !report.ladders.isEmpty { sections.append(ComparisonTables.section(report.ladders)) }
        if !report.warnings.isEmpty {
            sections.append(Section(sentences: report.warnings.map { "warning: \($0)" }))
        }
        if let baseline = report.baseline { sections.append(ComparisonTables.section(baseline)) }
        let duration = DecimalText.fixed(report.origin.durationSeconds, places: 0)
        let environment = report.environment.map { "\($0.name) \($0.value)" }.joined(separator: "; ")
        sections.append(
            Section(sentences: ["seed \(report.origin.seed), \(duration) s: \(report.origin.command)", environment]))
        self.sections = sections
    }

    private static func section(_ ladders: [RateLadder]) -> Section {
        Section(
            head: ["knee", "keeps up to", "fails from"],
            rows: ladders.map { ladder in
                [
                    ladder.variant, ladder.knee.held.map { "\(Int($0))/s" } ?? "below the lowest rate",
                    ladder.knee.failed.map { "\(Int($0))/s" } ?? "above the highest rate",
                ]
            })
    }

    private static func section(_ baseline: BaselineComparison) -> Section {
        Section(
            title: "compared with the earlier run of \(baseline.startedAt)",
            sentences: [
                "The machine may differ between two runs. Each ratio is therefore relative to the reference of its own run."
            ] + baseline.differences,
            head: ["load", "candidate", "then", "now", "changed"],
            rows: baseline.rows.map { row in
                [row.load, row.candidate, RatioText.text(row.earlier), RatioText.text(row.now), row.changeText]
            })
    }

    /// The report as plain text.
    var text: String {
        var lines: [String] = []
        for section in sections {
            if let title = section.title { lines.append(title) }
            lines += section.sentences
            if !section.rows.isEmpty {
                var table = TextTable(head: section.head)
                for row in section.rows { table.append(row) }
                lines += table.lines()
            }
            lines.append("")
        }
        return lines.joined(separator: "\n")
    }

    /// The report as Markdown.
    var markdown: String {
        var lines: [String] = []
        for section in sections {
            if let title = section.title { lines += ["### \(title)", ""] }
            for sentence in section.sentences { lines += [ComparisonTables.escaped(sentence), ""] }
            guard !section.rows.isEmpty else { continue }
            lines.append("| " + section.head.map(ComparisonTables.escaped).joined(separator: " | ") + " |")
            lines.append("|" + String(repeating: "---|", count: section.head.count))
            lines += section.rows.map { "| " + $0.map(ComparisonTables.escaped).joined(separator: " | ") + " |" }
            lines.append("")
        }
        return lines.joined(separator: "\n")
    }

    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { $0 += "|<*_`".contains($1) ? "\\\($1)" : "\($1)" }
    }
}
