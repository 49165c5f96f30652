import Measurements

/// The chart of throughput and latency at rising rates, with the knee of each server.
struct KneePanel {
    let context: ReportContext

    private var ladders: [RateLadder] { context.report.ladders.filter { !$0.steps.isEmpty } }

    var panel: Panel? {
        guard !ladders.isEmpty else { return nil }
        return Panel(
            id: "knee", title: "Throughput against latency",
            lead:
                "Each point is a run at a fixed rate, and lines connect the median run of each rate. The bar at the bottom shows "
                + "where the knee is: the server kept up at all rates up to the bar's left end, and at no rate from its right end "
                + "on. Solid lines show the median response time, and dashed lines the 99th percentile.",
            alternative: ladders.map { "\($0.variant): \(KneePanel.range($0.knee))" }.joined(separator: ". "),
            legend: ladders.map {
                Panel.Entry(series: context.series($0.variant), note: "knee " + KneePanel.range($0.knee))
            }, table: table, draw: draw)
    }

    private static func range(_ knee: RateLadder.Knee) -> String {
        switch (knee.held, knee.failed) {
        case (let held?, let failed?): "\(QuantityText.count(held)) to \(QuantityText.count(failed))/s"
        case (let held?, nil): "above \(QuantityText.count(held))/s"
        case (nil, let failed?): "below \(QuantityText.count(failed))/s"
        case (nil, nil): "unknown"
        }
    }

    private var table: DataTable {
        DataTable(
            head: ["", "requests", "replies", "p50", "p99", "kept up"],
            rows: ladders.flatMap { ladder in
                ladder.steps.sorted { $0.rate < $1.rate }.map { step in
                    [
                        ladder.variant, QuantityText.count(step.rate) + "/s",
                        QuantityText.count(step.replyRate) + "/s",
                        QuantityText.time(step.p50Nanoseconds), step.p99Nanoseconds.map(QuantityText.time) ?? "n/a",
                        ladder.holds(step) ? "yes" : "no",
                    ]
                }
            })
    }

    private func draw(_ width: Double, _ alternative: String) -> Markup {
        let plot = Plot(width: width, height: width < 500 ? 300 : 340)
        let steps = ladders.flatMap(\.steps)
        let times = steps.flatMap { [$0.p50Nanoseconds, $0.p99Nanoseconds].compactMap { $0 } }.filter { $0 > 0 }
        let rates = steps.map(\.replyRate)
        let across = plot.across(0, (rates.max() ?? 1) * 1.06)
        // The lower limit of the time axis is reduced, to leave room for the bars below the curves.
        let room = 1 + 0.35 * Double(ladders.count)
        let upwards = plot.upwards((times.min() ?? 1) * 0.8 / room, (times.max() ?? 10) * 1.3, isLogarithmic: true)
        return plot.drawing(
            alternative, Markup(ladders.map { knee($0, across, plot) }),
            plot.axisLeft(upwards, upwards.ticks(QuantityText.time)),
            plot.axisBelow(across, across.ticks(QuantityText.count), title: "replies per second"),
            Markup(ladders.map { draw($0, across, upwards) }))
    }

    private func knee(_ ladder: RateLadder, _ across: Scale, _ plot: Plot) -> Markup {
        guard let held = ladder.knee.held, let place = ladders.firstIndex(of: ladder) else { return .nothing }
        let style = context.series(ladder.variant).style
        let left = across.place(held)
        let width = across.place(ladder.knee.failed ?? across.upper) - left
        let bar = Box(left, plot.area.bottom - 12 - Double(place) * 11, width, 7)
        let whole = Box(left, plot.area.y, width, plot.area.height)
        return Shape.group(
            "of-\(style)", Shape.rectangle(whole, "band faint \(style)"),
            Shape.rectangle(bar, "bar \(style)", radius: 3.5),
            Shape.tip("\(ladder.variant): knee at \(KneePanel.range(ladder.knee))"))
    }

    private func draw(_ ladder: RateLadder, _ across: Scale, _ upwards: Scale) -> Markup {
        let series = context.series(ladder.variant)
        let steps = ladder.steps.sorted { $0.rate < $1.rate }
        let middle = KneePanel.middleRuns(steps)
        let median = middle.map { Point(across.place($0.replyRate), upwards.place($0.p50Nanoseconds)) }
        let tail = middle.compactMap { step in
            step.p99Nanoseconds.map { Point(across.place(step.replyRate), upwards.place($0)) }
        }
        let marks = steps.map { step in
            let point = Point(across.place(step.replyRate), upwards.place(step.p50Nanoseconds))
            let tip =
                "\(ladder.variant) at \(QuantityText.count(step.rate))/s: \(QuantityText.count(step.replyRate))/s of replies, p50 "
                + QuantityText.time(step.p50Nanoseconds)
                + (step.p99Nanoseconds.map { ", p99 \(QuantityText.time($0))" } ?? "")
            return series.marker(point, tip: tip)
        }
        return Shape.group(
            "of-\(series.style)", Shape.path(median, "line \(series.style)"),
            Shape.path(tail, "line \(series.style) dashed"), Markup(marks))
    }

    /// Returns one run for each rate: the run with the median 99th percentile among the runs at this rate.
    ///
    /// If a rate has two runs, the function returns the run with the lower 99th percentile.
    private static func middleRuns(_ steps: [RateLadder.Step]) -> [RateLadder.Step] {
        Dictionary(grouping: steps, by: \.rate).values.compactMap { runs in
            let runs = runs.sorted { ($0.p99Nanoseconds ?? .infinity) < ($1.p99Nanoseconds ?? .infinity) }
            return runs.isEmpty ? nil : runs[(runs.count - 1) / 2]
        }.sorted { $0.rate < $1.rate }
    }
}
