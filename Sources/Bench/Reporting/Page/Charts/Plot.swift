/// The plotting area of a chart, with its axes, in a drawing of a given width.
struct Plot: Sendable {
    let width: Double
    let height: Double
    let area: Box

    /// Whether the drawing is for narrow screens.
    var isNarrow: Bool { width < 500 }

    init(width: Double, height: Double, left: Double = 64, right: Double = 18, top: Double = 14, bottom: Double = 44) {
        self.width = width
        self.height = height
        area = Box(left, top, width - left - right, height - top - bottom)
    }

    /// Returns a linear or logarithmic scale from left to right.
    func across(_ lower: Double, _ upper: Double, isLogarithmic: Bool = false) -> Scale {
        Scale(lower, upper, from: area.x, to: area.right, isLogarithmic: isLogarithmic)
    }

    /// Returns a linear or logarithmic scale from bottom to top.
    func upwards(_ lower: Double, _ upper: Double, isLogarithmic: Bool = false) -> Scale {
        Scale(lower, upper, from: area.bottom, to: area.y, isLogarithmic: isLogarithmic)
    }

    /// Draws the axis below the chart, with vertical grid lines.
    ///
    /// Ticks that would overlap are omitted.
    func axisBelow(_ scale: Scale, _ ticks: [Scale.Tick], title: String) -> Markup {
        var free = -Double.infinity
        var pieces: [Markup] = []
        for tick in ticks {
            let place = scale.place(tick.value)
            pieces.append(Shape.line(Point(place, area.y), Point(place, area.bottom), "grid"))
            let half = Double(tick.label.count) * 3.6
            guard place - half > free else { continue }
            free = place + half + 4
            pieces.append(Shape.text(tick.label, at: Point(place, area.bottom + 17), anchor: "middle"))
        }
        pieces.append(Shape.text(title, at: Point(area.right, area.bottom + 36), "axis", anchor: "end"))
        return Markup(pieces)
    }

    /// Draws the axis on the left of the chart, with horizontal grid lines.
    func axisLeft(_ scale: Scale, _ ticks: [Scale.Tick]) -> Markup {
        Markup(
            ticks.flatMap { tick in
                let place = scale.place(tick.value)
                return [
                    Shape.line(Point(area.x, place), Point(area.right, place), "grid"),
                    Shape.text(tick.label, at: Point(area.x - 8, place + 4), anchor: "end"),
                ]
            })
    }

    /// Returns the finished drawing.
    ///
    /// - Parameter alternative: the text alternative of the chart.
    func drawing(_ alternative: String, _ pieces: Markup...) -> Markup {
        Markup(
            "svg",
            [
                "role": "img", "aria-label": alternative, "viewBox": "0 0 \(Shape.at(width)) \(Shape.at(height))",
                "width": Shape.at(width), "height": Shape.at(height),
            ], pieces)
    }
}
