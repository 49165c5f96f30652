import Measurements
import RealModule

/// Heat maps of latency over time, one for each server.
///
/// The state of the platform is drawn below the maps, on the same time axis.
struct HeatMapPanel {
    private static let levels = 7
    private static let gap = 26.0
    private static let trackHeight = 46.0

    let context: ReportContext

    var panel: Panel? {
        guard !maps.isEmpty else { return nil }
        return Panel(
            id: "time", title: "Latency over time, and the state of the machine",
            lead:
                "Darker cells contain more requests. The charts below show stolen processor time and the overshoot of a sleep "
                + "of 1 ms, on the same axis. A pattern that appears in all maps at the same time comes from the machine.",
            alternative: alternative, table: table, draw: draw)
    }

    private var maps: [HeatMap] {
        context.load.heatMaps.filter { map in context.compared.contains { $0.name == map.variant } }
    }

    private var strip: PlatformStrip { context.load.platform }

    private var alternative: String {
        let names = maps.map(\.variant).joined(separator: ", ")
        return "Heat maps of \(maps.first?.clock.title ?? "latency") over time for \(names). Steal "
            + "\(QuantityText.percent(strip.meanStealShare)) on average, \(QuantityText.percent(strip.stealShare.max() ?? 0)) at "
            + "most; the longest hiccup was \(QuantityText.time((strip.hiccupMicroseconds.max() ?? 0) * 1000))."
    }

    private var table: DataTable {
        let perRow = max(1, (strip.stealShare.count + 29) / 30)
        return DataTable(
            head: ["seconds", "steal", "pressure", "hiccup"],
            rows: stride(from: 0, to: strip.stealShare.count, by: perRow).map { first in
                let places = first..<min(first + perRow, strip.stealShare.count)
                func worst(_ values: [Double]) -> Double {
                    places.compactMap { values.indices.contains($0) ? values[$0] : nil }.max() ?? 0
                }
                return [
                    QuantityText.short(Double(first) * strip.columnSeconds),
                    QuantityText.percent(worst(strip.stealShare)), QuantityText.percent(worst(strip.pressureShare)),
                    QuantityText.time(worst(strip.hiccupMicroseconds) * 1000),
                ]
            })
    }

    private func draw(_ width: Double, _ alternative: String) -> Markup {
        let mapHeight = width < 500 ? 120.0 : 150
        let height = Double(maps.count) * (mapHeight + HeatMapPanel.gap) + 2 * (HeatMapPanel.trackHeight + 22) + 50
        let plot = Plot(width: width, height: height, top: 4, bottom: 44)
        let seconds = maps.map { Double($0.columns) * $0.columnSeconds }.max() ?? 1
        let across = plot.across(0, seconds)
        var top = 20.0
        var pieces = [plot.axisBelow(across, across.ticks(QuantityText.short), title: "seconds after the start")]
        for map in maps {
            pieces.append(draw(map, in: Box(plot.area.x, top, plot.area.width, mapHeight), across))
            top += mapHeight + HeatMapPanel.gap
        }
        pieces.append(track("steal", strip.stealShare, ceiling: 0.1, QuantityText.percent, top: top, across, plot))
        top += HeatMapPanel.trackHeight + 22
        pieces.append(
            track(
                "hiccup", strip.hiccupMicroseconds, ceiling: 2000, { QuantityText.time($0 * 1000) }, top: top, across,
                plot))
        return plot.drawing(alternative, Markup(pieces))
    }

    private func draw(_ map: HeatMap, in box: Box, _ across: Scale) -> Markup {
        let upwards = Scale(
            map.lowestNanoseconds, map.highestNanoseconds, from: box.bottom, to: box.y, isLogarithmic: true)
        let greatest = Double(map.counts.max() ?? 1)
        let stroke = Shape.at(box.height / Double(map.rows) + 0.3)
        let cells = (0..<HeatMapPanel.levels).map { level in
            Markup(
                "path",
                ["class": "heat h\(level)", "stroke-width": stroke, "d": runs(map, level, greatest, across, upwards)],
                [])
        }
        let ticks = upwards.ticks(QuantityText.time).map { tick in
            Shape.text(tick.label, at: Point(box.x - 8, upwards.place(tick.value) + 4), anchor: "end")
        }
        let title = "\(map.variant), \(map.clock.title)"
        return Markup([
            Shape.rectangle(box, "ground", radius: 3), Markup(cells), Markup(ticks),
            Shape.text(title, at: Point(box.x, box.y - 7), "label strong"), readouts(map, box, across),
        ])
    }

    /// Returns the path of all cells with one shade.
    ///
    /// The path draws adjacent cells of a row as one horizontal line, whose thickness is the height of a row.
    private func runs(_ map: HeatMap, _ level: Int, _ greatest: Double, _ across: Scale, _ upwards: Scale) -> String {
        var path = ""
        for row in 0..<map.rows {
            let middle = (upwards.place(map.floor(ofRow: row)) + upwards.place(map.floor(ofRow: row + 1))) / 2
            let isShaded = (0..<map.columns).map { column in
                let count = map.count(column: column, row: row)
                return count > 0 && HeatMapPanel.level(Double(count), of: greatest) == level
            }
            var column = 0
            while let first = isShaded[column...].firstIndex(of: true) {
                column = isShaded[first...].firstIndex(of: false) ?? map.columns
                let left = across.place(Double(first) * map.columnSeconds).rounded()
                let right = across.place(Double(column) * map.columnSeconds).rounded()
                path += "M\(Shape.at(left)) \(Shape.at(middle))h\(Shape.at(right - left))"
            }
        }
        return path
    }

    /// Makes invisible stripes that show a tooltip for a range of time.
    ///
    /// The stripes are wide enough for a pointer.
    private func readouts(_ map: HeatMap, _ box: Box, _ across: Scale) -> Markup {
        let perStripe = max(1, map.columns / 21)
        return Markup(
            stride(from: 0, to: map.columns, by: perStripe).map { first in
                let columns = first..<min(first + perStripe, map.columns)
                let counts = (0..<map.rows).map { row in
                    columns.reduce(0) { $0 + Int(map.count(column: $1, row: row)) }
                }
                let top = counts.lastIndex { $0 > 0 } ?? 0
                let most = counts.indices.max { counts[$0] < counts[$1] } ?? 0
                let begin = Double(first) * map.columnSeconds
                let tip =
                    "\(map.variant) at \(QuantityText.short(begin)) s: most requests near "
                    + "\(QuantityText.time(map.floor(ofRow: most))), the slowest near "
                    + QuantityText.time(map.floor(ofRow: top))
                let left = across.place(begin)
                let right = across.place(Double(columns.upperBound) * map.columnSeconds)
                return Shape.rectangle(Box(left, box.y, right - left, box.height), "hit", [Shape.tip(tip)])
            })
    }

    /// Returns the shade for a count.
    ///
    /// The scale is logarithmic, so that single requests are visible.
    private static func level(_ count: Double, of greatest: Double) -> Int {
        guard greatest > 1 else { return levels - 1 }
        return min(levels - 1, Int(Double.log(count) / Double.log(greatest) * Double(levels)))
    }

    private func track(
        _ name: String, _ values: [Double], ceiling: Double, _ text: (Double) -> String, top: Double, _ across: Scale,
        _ plot: Plot
    ) -> Markup {
        let box = Box(plot.area.x, top, plot.area.width, HeatMapPanel.trackHeight)
        let greatest = max(values.max() ?? 0, ceiling)
        let scale = Scale(0, greatest, from: box.bottom, to: box.y)
        // Adjacent columns whose heights differ by less than a pixel are drawn as one step.
        var steps: [Point] = []
        for (index, value) in values.enumerated() {
            let height = scale.place(value).rounded()
            let right = across.place(Double(index + 1) * strip.columnSeconds)
            if steps.last?.y == height {
                steps.removeLast()
            } else {
                steps.append(Point(across.place(Double(index) * strip.columnSeconds), height))
            }
            steps.append(Point(right, height))
        }
        let ends = [steps.first, steps.last].compactMap { $0 }.map { Point($0.x, box.bottom) }
        return Markup([
            Shape.rectangle(box, "ground", radius: 3), Shape.area(steps, ends, "track \(name)"),
            Shape.text(name, at: Point(box.x, box.y - 6), "label"),
            Shape.text(text(greatest), at: Point(box.x - 8, box.y + 10), anchor: "end"),
            Shape.text("0", at: Point(box.x - 8, box.bottom), anchor: "end"),
        ])
    }
}
