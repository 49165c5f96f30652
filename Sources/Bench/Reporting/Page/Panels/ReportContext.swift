import Measurements

/// The data that all panels draw: one load of a report, and a style for each server.
struct ReportContext {
    let report: ComparisonReport
    let load: LoadReport

    /// The servers that are compared: the reference and the candidates.
    var compared: [VariantResult] { load.variants.filter { $0.role == .reference || $0.role == .candidate } }

    var floor: VariantResult? { load.variants.first { $0.role == .floor } }

    var reference: String { load.variants.first { $0.role == .reference }?.name ?? "the reference" }

    /// The percentile and the kind of latency that the headline is about.
    var endpoint: Endpoint { load.comparisons.first?.endpoint ?? .standard }

    var margin: Margin { load.comparisons.first?.margin ?? .standard }

    /// Returns the lower and the upper end of an axis of ratios.
    ///
    /// The axis includes all the ratios and the margin, with some space at both ends.
    func limits(ofRatios ratios: [Double], slack: Double) -> (lower: Double, upper: Double) {
        let lower = min(ratios.min() ?? 1, margin.band.lower) * (1 - slack)
        let upper = max(ratios.max() ?? 1, margin.band.upper) * (1 + slack)
        return (max(lower, 0.01), min(upper, 100))
    }

    /// Draws the background of a chart of ratios: the margin, the axes, and the line at the ratio 1.
    func background(_ plot: Plot, _ upwards: Scale, axisBelow: Markup) -> Markup {
        let (top, bottom) = (upwards.place(margin.band.upper), upwards.place(margin.band.lower))
        let unity = upwards.place(1)
        return Markup([
            Shape.rectangle(Box(plot.area.x, top, plot.area.width, bottom - top), "margin"),
            plot.axisLeft(upwards, upwards.ticks { QuantityText.short($0) + "×" }), axisBelow,
            Shape.line(Point(plot.area.x, unity), Point(plot.area.right, unity), "unity"),
        ])
    }

    /// Returns the style of a server, which is the same in every chart of the page.
    func series(_ name: String) -> Series {
        let names = report.loads.flatMap(\.variants).filter { $0.role == .reference || $0.role == .candidate }.map(
            \.name)
        let lanes = report.lanes.map(\.variant)
        var known: [String] = []
        for name in names + lanes where !known.contains(name) { known.append(name) }
        return Series(index: known.firstIndex(of: name) ?? known.count, name: name)
    }
}
