import Measurements

/// The chart of latency at each percentile.
///
/// Each step of equal length on the percentile axis halves the distance to 100 %, so there is room for the tail.
struct PercentileCurves {
    private struct Curve {
        let series: Series
        let clock: LatencyClock
        let points: [LatencySummary.Point]
        let isFloor: Bool
    }

    let context: ReportContext

    var panel: Panel {
        Panel(
            id: "percentiles", title: "Latency at each percentile",
            lead:
                "Solid lines show the wire time, which the kernel measures. Dashed lines show the response time, which begins "
                + "when a request is due. The grey line is the floor, a server that does as little as possible on this "
                + "machine.",
            alternative: alternative, legend: context.compared.map { Panel.Entry(series: context.series($0.name)) },
            table: table, draw: draw)
    }

    private var curves: [Curve] {
        let floor = context.floor.map { [$0] } ?? []
        return (floor + context.compared).flatMap { variant in
            LatencyClock.allCases.compactMap { clock in
                guard let summary = variant.latency(clock), summary.curve.count > 1 else { return nil }
                guard variant.role != .floor || clock == context.endpoint.clock else { return nil }
                return Curve(
                    series: context.series(variant.name), clock: clock, points: summary.curve,
                    isFloor: variant.role == .floor)
            }
        }
    }

    private var alternative: String {
        let curves = context.compared.map { variant in
            let readings = (variant.latency(context.endpoint.clock)?.readings ?? []).compactMap { reading in
                reading.nanoseconds.map { "\(reading.percentile) \(QuantityText.time($0))" }
            }
            return "\(variant.name): \(readings.joined(separator: ", "))"
        }
        return "Percentile curves of \(context.endpoint.clock.title). " + curves.joined(separator: ". ")
    }

    private var table: DataTable {
        let summaries = context.load.variants.flatMap { variant in variant.latencies.map { (variant.name, $0) } }
        return DataTable(
            head: ["", "requests"] + Percentile.reported.map(\.description) + ["longest"],
            rows: summaries.map { name, summary in
                let readings = Percentile.reported.map { percentile -> String in
                    let reading = summary.readings.first { $0.percentile == percentile }
                    if let value = reading?.nanoseconds { return QuantityText.time(value) }
                    return "n/a (needs \(QuantityText.count(Double(reading?.needsMore ?? 0))) more requests)"
                }
                return ["\(name), \(summary.clock.title)", QuantityText.count(Double(summary.count))] + readings
                    + [QuantityText.time(summary.maxNanoseconds)]
            })
    }

    private func draw(_ width: Double, _ alternative: String) -> Markup {
        let plot = Plot(width: width, height: width < 500 ? 320 : 380)
        let curves = curves
        let values = curves.flatMap { $0.points.map(\.nanoseconds) }.filter { $0 > 0 }
        let across = PercentileCurves.across(curves.flatMap { $0.points.map(\.fraction) }, plot)
        let upwards = plot.upwards((values.min() ?? 1) * 0.9, (values.max() ?? 10) * 1.15, isLogarithmic: true)
        return plot.drawing(
            alternative, plot.axisLeft(upwards, upwards.ticks(QuantityText.time)),
            plot.axisBelow(across, PercentileCurves.ticks(across), title: "percentile"),
            Markup(curves.map { line($0, across, upwards) }),
            Markup(PercentileCurves.places(across).map { readout($0, across, plot) }))
    }

    /// Returns the scale of 1/(1 - fraction).
    static func across(_ fractions: [Double], _ plot: Plot, from least: Double = 0) -> Scale {
        plot.across(1 / (1 - least), max(1 / (1 - (fractions.max() ?? 0.9)), 10), isLogarithmic: true)
    }

    static func ticks(_ scale: Scale) -> [Scale.Tick] {
        places(scale).map { Scale.Tick(value: 1 / (1 - $0.fraction), label: String("\($0)".dropFirst())) }
    }

    private static func places(_ scale: Scale) -> [Percentile] {
        ([Percentile(millionths: 0)].compactMap { $0 } + Percentile.reported
            + [Percentile(millionths: 999_990)].compactMap { $0 })
            .filter { 1 / (1 - $0.fraction) <= scale.upper * 1.001 && 1 / (1 - $0.fraction) >= scale.lower }
    }

    private func line(_ curve: Curve, _ across: Scale, _ upwards: Scale) -> Markup {
        let points = curve.points.map { Point(across.place(1 / (1 - $0.fraction)), upwards.place($0.nanoseconds)) }
        if curve.isFloor { return Shape.path(points, "line floor") }
        let dash = curve.clock == .response ? " dashed" : ""
        let marks =
            curve.clock == .response
            ? [] : stride(from: 0, to: points.count, by: 8).map { curve.series.marker(points[$0], size: 3.4) }
        return Shape.group(
            "of-\(curve.series.style)", Shape.path(points, "line \(curve.series.style)\(dash)"), Markup(marks))
    }

    /// Makes an invisible stripe at a percentile.
    ///
    /// Its tooltip shows the values of all curves.
    private func readout(_ percentile: Percentile, _ across: Scale, _ plot: Plot) -> Markup {
        let place = across.place(1 / (1 - percentile.fraction))
        let values = context.load.variants.filter { $0.role != .control }.flatMap { variant in
            variant.latencies.compactMap { summary in
                summary.nanoseconds(at: percentile).map {
                    "\(variant.name), \(summary.clock.rawValue): \(QuantityText.time($0))"
                }
            }
        }
        guard !values.isEmpty else { return .nothing }
        let box = Box(place - 14, plot.area.y, 28, plot.area.height)
        return Shape.rectangle(box, "hit", [Shape.tip("\(percentile)\n" + values.joined(separator: "\n"))])
    }
}
