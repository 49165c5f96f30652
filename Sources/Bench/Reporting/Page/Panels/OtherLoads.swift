import Measurements

/// The panel of all loads except the first.
///
/// The panel shows the verdicts and the forest plot of each load.
struct OtherLoads {
    let report: ComparisonReport

    var markup: Markup {
        let others = report.loads.dropFirst()
        guard !others.isEmpty else { return .nothing }
        let sections = others.map { load in
            let context = ReportContext(report: report, load: load)
            let sentences = load.comparisons.map { comparison in
                Markup(
                    "p", ["class": "sentence"],
                    Markup("span", ["class": "chip \(comparison.verdict.rawValue)"], comparison.verdict.rawValue),
                    Markup(" " + comparison.sentence))
            }
            let forest = ForestPlot(context: context, percentiles: [.p50, .p90, .p99]).panel
            return Markup(
                "article", ["class": "load"], Markup("h3", "\(load.plan.name): \(load.plan.title)"), Markup(sentences),
                Markup(load.warnings.map { Markup("p", ["class": "warning"], $0) }), forest.figure)
        }
        return Panel.section("loads", "Other loads", "The same servers under other loads.", Markup(sections))
    }
}

/// The table of ratios between all pairs of servers, for more than two servers.
struct MatrixTable {
    let context: ReportContext

    var markup: Markup {
        guard !context.load.matrix.isEmpty else { return .nothing }
        let names = context.compared.map(\.name)
        var table = DataTable(
            head: ["row / column"] + names, rows: context.load.matrixRows(names, diagonal: "·"))
        table.caption =
            "Ratio of the server in the row to the server in the column, \(context.endpoint.percentile) \(context.endpoint.clock.title)"
        return table.markup
    }
}
