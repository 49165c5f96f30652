import Measurements

/// The chart of the simulated clients' time lines, for each server.
struct LanesPanel {
    private static let laneHeight = 16.0
    private static let gap = 34.0

    let context: ReportContext

    private var panels: [LanePanel] { context.report.lanes.filter { !$0.lanes.isEmpty } }

    var panel: Panel? {
        guard !panels.isEmpty else { return nil }
        return Panel(
            id: "lanes", title: "Which clients wait",
            lead: "The same clients connect to each server. A bar is hatched while its client waits, and filled while "
                + "the client is served. All bars have the same time axis.",
            alternative: alternative, table: table, draw: draw)
    }

    private var alternative: String {
        panels.map { panel in
            let waited = panel.lanes.map { ($0.servedSeconds ?? $0.endedSeconds) - $0.startedSeconds }
            let end = panel.lanes.map(\.endedSeconds).max() ?? 0
            return
                "\(panel.variant): \(panel.lanes.count) clients finish within \(QuantityText.short(end)) s, and the longest "
                + "wait is \(QuantityText.short(waited.max() ?? 0)) s"
        }.joined(separator: ". ")
    }

    private var table: DataTable {
        DataTable(
            head: ["", "client", "connected", "served from", "left", ""],
            rows: panels.flatMap { panel in
                panel.lanes.map { lane in
                    [
                        panel.variant, lane.name, seconds(lane.startedSeconds),
                        lane.servedSeconds.map(seconds) ?? "never", seconds(lane.endedSeconds),
                        lane.succeeded ? "done" : "failed",
                    ]
                }
            })
    }

    private func seconds(_ seconds: Double) -> String { DecimalText.fixed(seconds, places: 2) + " s" }

    private func draw(_ width: Double, _ alternative: String) -> Markup {
        let count = panels.reduce(0) { $0 + $1.lanes.count }
        let height = Double(count) * LanesPanel.laneHeight + Double(panels.count) * LanesPanel.gap + 44
        let plot = Plot(width: width, height: height, left: 56, right: 18, top: 0, bottom: 44)
        let across = plot.across(0, panels.flatMap { $0.lanes.map(\.endedSeconds) }.max() ?? 1)
        var top = 0.0
        var pieces = [plot.axisBelow(across, across.ticks(QuantityText.short), title: "seconds"), hatch(plot)]
        for panel in panels {
            let series = context.series(panel.variant)
            pieces.append(Shape.text(panel.variant, at: Point(plot.area.x, top + 22), "label strong"))
            top += LanesPanel.gap - 4
            for lane in panel.lanes {
                pieces.append(draw(lane, series, top: top, across, plot))
                top += LanesPanel.laneHeight
            }
            top += 4
        }
        return plot.drawing(alternative, Markup(pieces))
    }

    /// Returns the hatch pattern for clients that wait.
    ///
    /// Each drawing has its own pattern, because a pattern in a hidden drawing is not rendered.
    private func hatch(_ plot: Plot) -> Markup {
        let line = Markup("path", ["d": "M0 6L6 0M-1 1L1 -1M5 7L7 5", "class": "hatch"], [])
        let pattern = Markup(
            "pattern",
            [
                "id": plot.isNarrow ? "waiting-narrow" : "waiting", "width": "6", "height": "6",
                "patternUnits": "userSpaceOnUse",
            ], line)
        return Markup("defs", [:], pattern)
    }

    private func draw(_ lane: LanePanel.Lane, _ series: Series, top: Double, _ across: Scale, _ plot: Plot) -> Markup {
        let height = LanesPanel.laneHeight - 4
        let start = across.place(lane.startedSeconds)
        let end = across.place(lane.endedSeconds)
        let served = across.place(lane.servedSeconds ?? lane.endedSeconds)
        let service = lane.servedSeconds.map { "served from \(seconds($0))" } ?? "never served"
        let tip =
            "\(lane.name): connected at \(seconds(lane.startedSeconds)), \(service), \(lane.succeeded ? "done" : "failed") at "
            + seconds(lane.endedSeconds)
        return Shape.group(
            "", Shape.text(lane.name, at: Point(plot.area.x - 8, top + height - 2), anchor: "end"),
            Shape.rectangle(Box(start, top, served - start, height), "waits", radius: 2),
            Shape.rectangle(
                Box(served, top, end - served, height), lane.succeeded ? "serves \(series.style)" : "fails", radius: 2),
            Shape.tip(tip))
    }
}
