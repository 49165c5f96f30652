import Measurements

/// A forest plot of the ratios with their intervals.
///
/// The first row shows the control, and the other rows show the candidates at each percentile.
struct ForestPlot {
    private struct Row {
        let label: String
        let ratio: BlockEstimate
        let series: Series?
        let isHeadline: Bool
    }

    let context: ReportContext
    /// The percentiles to show; `nil` to show all percentiles.
    var percentiles: [Percentile]?

    var panel: Panel {
        Panel(
            id: "forest", title: "Ratio to \(context.reference) at each percentile",
            lead:
                "Latency relative to \(context.reference), with 95% intervals. Below 1, the candidate is faster. The shaded band is "
                + "the margin of \(context.margin). A difference counts if its whole interval is outside the band. The first "
                + "row is the control, a second copy of \(context.reference).",
            alternative: alternative, table: table, draw: draw)
    }

    private var rows: [Row] {
        let itself = context.load.noiseFloor.map {
            [Row(label: "\(context.reference) again (A/A)", ratio: $0.ratio, series: nil, isHeadline: false)]
        }
        return (itself ?? [])
            + context.load.comparisons.flatMap { comparison in
                shown(comparison).map { row in
                    Row(
                        label: "\(comparison.candidate) \(row.percentile)", ratio: row.ratio,
                        series: context.series(comparison.candidate),
                        isHeadline: row.percentile == comparison.endpoint.percentile)
                }
            }
    }

    private func shown(_ comparison: PairedComparison) -> [ComparisonRow] {
        comparison.rows.filter { row in
            row.clock == comparison.endpoint.clock
                && (row.percentile == comparison.endpoint.percentile || percentiles?.contains(row.percentile) ?? true)
        }
    }

    private var alternative: String {
        let headlines = context.load.comparisons.compactMap { comparison in
            comparison.headline.map {
                "\(comparison.candidate) \(comparison.endpoint.percentile) \(RatioText.text($0.ratio))"
            }
        }
        return "Forest plot of latency ratios to \(context.reference). " + headlines.joined(separator: "; ")
            + (context.load.noiseFloor.map { ". Control: \($0.text)" } ?? "")
    }

    private var table: DataTable {
        DataTable(
            head: ["", "ratio", "95% interval", "p"],
            rows: rows.map { row in
                [
                    row.label, QuantityText.ratio(row.ratio.value),
                    QuantityText.interval(row.ratio.interval, QuantityText.ratio),
                    QuantityText.probability(row.ratio.pValue),
                ]
            })
    }

    private func draw(_ width: Double, _ alternative: String) -> Markup {
        let rows = rows
        let spacing = 24.0
        let plot = Plot(
            width: width, height: Double(rows.count) * spacing + 66, left: width < 500 ? 104 : 150,
            right: width < 500 ? 14 : 150, top: 10, bottom: 46)
        let ends = rows.flatMap {
            [$0.ratio.interval?.lower, $0.ratio.interval?.upper, $0.ratio.value].compactMap { $0 }
        }
        let limits = context.limits(ofRatios: ends, slack: 0.02)
        let scale = plot.across(limits.lower, limits.upper, isLogarithmic: true)
        let left = scale.place(context.margin.band.lower)
        let margin = Box(left, plot.area.y, scale.place(context.margin.band.upper) - left, plot.area.height)
        let body = rows.enumerated().map { index, row in
            draw(row, at: plot.area.y + (Double(index) + 0.5) * spacing, scale, plot)
        }
        return plot.drawing(
            alternative, Shape.rectangle(margin, "margin"),
            plot.axisBelow(scale, scale.ticks(QuantityText.short), title: "ratio to \(context.reference)"),
            Shape.line(Point(scale.place(1), plot.area.y), Point(scale.place(1), plot.area.bottom), "unity"),
            Markup(body))
    }

    private func draw(_ row: Row, at y: Double, _ scale: Scale, _ plot: Plot) -> Markup {
        let style = row.series?.style ?? "itself"
        let marker = row.series ?? Series(index: 0, name: "")
        var pieces = [
            Shape.rectangle(Box(0, y - 12, plot.width, 24), "hit"),
            Shape.text(
                row.label, at: Point(plot.area.x - 10, y + 4), row.isHeadline ? "label strong" : "label", anchor: "end"),
        ]
        if let interval = row.ratio.interval {
            let from = Point(scale.place(interval.lower), y)
            let to = Point(scale.place(interval.upper), y)
            pieces.append(Shape.line(from, to, "whisker \(style)"))
        }
        let centre = Point(scale.place(row.ratio.value), y)
        pieces.append(
            row.series == nil
                ? Shape.rectangle(Box(centre.x - 4, y - 4, 8, 8), "mark itself")
                : marker.marker(centre, size: row.isHeadline ? 5.5 : 4))
        if !plot.isNarrow {
            let style = row.isHeadline ? "label strong" : "label"
            pieces.append(Shape.text(RatioText.text(row.ratio), at: Point(plot.width - 4, y + 4), style, anchor: "end"))
        }
        return Shape.group(
            row.series.map { "of-\($0.style)" } ?? "", Markup(pieces),
            Shape.tip("\(row.label): \(RatioText.text(row.ratio))"))
    }
}
