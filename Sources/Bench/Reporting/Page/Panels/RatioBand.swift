import Measurements

/// The chart of the ratio to the reference at each percentile.
///
/// A band shows the interval of the ratio.
struct RatioBand {
    let context: ReportContext

    var panel: Panel {
        Panel(
            id: "ratio", title: "Ratio along the distribution",
            lead:
                "The line is the ratio to \(context.reference), the band is its 95% interval, and the grey stripe is the "
                + "margin.",
            alternative: alternative,
            legend: context.load.comparisons.map { Panel.Entry(series: context.series($0.candidate)) }, table: table,
            draw: draw)
    }

    private func rows(_ comparison: PairedComparison) -> [ComparisonRow] {
        comparison.rows.filter { $0.clock == comparison.endpoint.clock }
    }

    private var alternative: String {
        context.load.comparisons.map { comparison in
            "\(comparison.candidate) to \(comparison.reference): "
                + rows(comparison).map { "\($0.percentile) \(RatioText.text($0.ratio))" }.joined(separator: ", ")
        }.joined(separator: ". ")
    }

    private var table: DataTable {
        DataTable(
            head: ["", "ratio", "95% interval", "difference", "95% interval"],
            rows: context.load.comparisons.flatMap { comparison in
                comparison.rows.map { row in
                    [
                        "\(comparison.candidate) \(row.percentile), \(row.clock.title)",
                        QuantityText.ratio(row.ratio.value),
                        QuantityText.interval(row.ratio.interval, QuantityText.ratio),
                        QuantityText.difference(row.differenceNanoseconds.value),
                        QuantityText.interval(row.differenceNanoseconds.interval, QuantityText.difference),
                    ]
                }
            })
    }

    private func draw(_ width: Double, _ alternative: String) -> Markup {
        let plot = Plot(width: width, height: width < 500 ? 260 : 300)
        let all = context.load.comparisons.flatMap(rows)
        let ends = all.flatMap {
            [$0.ratio.value, $0.ratio.interval?.lower, $0.ratio.interval?.upper].compactMap { $0 }
        }
        let limits = context.limits(ofRatios: ends, slack: 0.02)
        let upwards = plot.upwards(limits.lower, limits.upper, isLogarithmic: true)
        let across = PercentileCurves.across(all.map(\.percentile.fraction), plot, from: 0.5)
        let below = plot.axisBelow(across, PercentileCurves.ticks(across), title: "percentile")
        return plot.drawing(
            alternative, context.background(plot, upwards, axisBelow: below),
            Markup(context.load.comparisons.map { draw($0, across, upwards) }))
    }

    private func draw(_ comparison: PairedComparison, _ across: Scale, _ upwards: Scale) -> Markup {
        let series = context.series(comparison.candidate)
        let rows = rows(comparison)
        func points(_ number: (BlockEstimate) -> Double) -> [Point] {
            rows.map { Point(across.place(1 / (1 - $0.percentile.fraction)), upwards.place(number($0.ratio))) }
        }
        let line = points(\.value)
        let marks = zip(rows, line).map { row, point in
            series.marker(point, tip: "\(comparison.candidate) \(row.percentile): \(RatioText.text(row.ratio))")
        }
        return Shape.group(
            "of-\(series.style)",
            Shape.area(
                points { $0.interval?.upper ?? $0.value }, points { $0.interval?.lower ?? $0.value },
                "band \(series.style)"), Shape.path(line, "line \(series.style)"), Markup(marks))
    }
}
