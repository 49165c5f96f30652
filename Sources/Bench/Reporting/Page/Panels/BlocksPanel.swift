import Measurements

/// The chart of the ratio in each block.
struct BlocksPanel {
    let context: ReportContext

    private var comparisons: [PairedComparison] { context.load.comparisons.filter { !$0.blockRatios.isEmpty } }

    var panel: Panel? {
        guard !comparisons.isEmpty else { return nil }
        return Panel(
            id: "blocks", title: "Every block",
            lead:
                "The ratio of the \(context.endpoint.percentile) \(context.endpoint.clock.title) in each block, in the order in "
                + "which the blocks ran. At each vertical line, the servers were restarted. A hollow point is a block during "
                + "which the machine was disturbed. Disturbed blocks count in the result.",
            alternative: alternative, legend: comparisons.map { Panel.Entry(series: context.series($0.candidate)) },
            table: table, draw: draw)
    }

    private var alternative: String {
        comparisons.map { comparison in
            let ratios = comparison.blockRatios.map(\.ratio)
            let disturbed = comparison.blockRatios.count { $0.isDisturbed }
            return "\(comparison.candidate): \(ratios.count) blocks from \(QuantityText.ratio(ratios.min() ?? 0)) to "
                + "\(QuantityText.ratio(ratios.max() ?? 0)), \(disturbed) of them disturbed"
        }.joined(separator: ". ")
    }

    private var table: DataTable {
        DataTable(
            head: ["block", "start"] + comparisons.map(\.candidate) + ["machine"],
            rows: (comparisons.first?.blockRatios ?? []).enumerated().map { index, block in
                let ratios = comparisons.map { comparison in
                    comparison.blockRatios.indices.contains(index)
                        ? QuantityText.ratio(comparison.blockRatios[index].ratio) : "n/a"
                }
                return ["\(index + 1)", "\(block.start + 1)"] + ratios + [
                    block.isDisturbed ? "disturbed" : "undisturbed"
                ]
            })
    }

    private func draw(_ width: Double, _ alternative: String) -> Markup {
        let plot = Plot(width: width, height: width < 500 ? 240 : 280)
        let ratios = comparisons.flatMap { $0.blockRatios.map(\.ratio) }
        let limits = context.limits(ofRatios: ratios, slack: 0.03)
        let upwards = plot.upwards(limits.lower, limits.upper, isLogarithmic: true)
        let count = comparisons.map(\.blockRatios.count).max() ?? 1
        let across = plot.across(0.5, Double(count) + 0.5)
        let step = max(1, count / (plot.isNarrow ? 5 : 10))
        let ticks = stride(from: step, through: count, by: step).map { Scale.Tick(value: Double($0), label: "\($0)") }
        return plot.drawing(
            alternative,
            context.background(plot, upwards, axisBelow: plot.axisBelow(across, ticks, title: "block")),
            Markup(restarts(across, plot)),
            Markup(comparisons.enumerated().map { draw($1, shift: Double($0), across, upwards) }))
    }

    private func restarts(_ across: Scale, _ plot: Plot) -> [Markup] {
        let starts = comparisons.first?.blockRatios.map(\.start) ?? []
        return starts.indices.dropFirst().filter { starts[$0] != starts[$0 - 1] }.map { index in
            let place = across.place(Double(index) + 0.5)
            return Shape.line(Point(place, plot.area.y), Point(place, plot.area.bottom), "restart")
        }
    }

    private func draw(_ comparison: PairedComparison, shift: Double, _ across: Scale, _ upwards: Scale) -> Markup {
        let series = context.series(comparison.candidate)
        var pieces: [Markup] = []
        if let ratio = comparison.headline?.ratio {
            let (left, right) = (across.place(across.lower), across.place(across.upper))
            let y = upwards.place(ratio.value)
            pieces.append(Shape.line(Point(left, y), Point(right, y), "line \(series.style) thin"))
        }
        for (index, block) in comparison.blockRatios.enumerated() {
            let place = Double(index) + 1 + (shift - Double(comparisons.count - 1) / 2) * 0.22
            let point = Point(across.place(place), upwards.place(block.ratio))
            let tip =
                "block \(index + 1), \(comparison.candidate): \(QuantityText.ratio(block.ratio))"
                + (block.isDisturbed ? ", disturbed" : "")
            pieces.append(series.marker(point, size: 4.4, tip: tip, isHollow: block.isDisturbed))
        }
        return Shape.group("of-\(series.style)", Markup(pieces))
    }
}
