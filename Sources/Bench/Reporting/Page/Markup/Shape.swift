import Measurements

/// Makes the SVG shapes of charts.
///
/// Coordinates have one digit after the point.
enum Shape {
    static func line(_ from: Point, _ to: Point, _ style: String) -> Markup {
        Markup("line", ["class": style, "x1": at(from.x), "y1": at(from.y), "x2": at(to.x), "y2": at(to.y)], [])
    }

    static func rectangle(_ box: Box, _ style: String, radius: Double = 0, _ children: [Markup] = []) -> Markup {
        let round = radius > 0 ? " rx=\"\(at(radius))\"" : ""
        let place = "x=\"\(at(box.x))\" y=\"\(at(box.y))\""
        let size = "width=\"\(at(max(0, box.width)))\" height=\"\(at(max(0, box.height)))\""
        let content = Markup(children).html
        return Markup(trusted: "<rect class=\"\(style)\" \(place) \(size)\(round)>\(content)</rect>")
    }

    static func path(_ points: [Point], _ style: String) -> Markup {
        Markup("path", ["class": style, "d": trace(points)], [])
    }

    static func circle(_ centre: Point, radius: Double, _ style: String, _ children: [Markup] = []) -> Markup {
        Markup("circle", ["class": style, "cx": at(centre.x), "cy": at(centre.y), "r": at(radius)], children)
    }

    /// Makes the area between two lines.
    ///
    /// The points of both lines are ordered from left to right.
    static func area(_ upper: [Point], _ lower: [Point], _ style: String, _ children: [Markup] = []) -> Markup {
        Markup("path", ["class": style, "d": trace(upper + lower.reversed()) + "Z"], children)
    }

    /// Makes text at a point.
    ///
    /// `anchor` is `start`, `middle` or `end`.
    static func text(_ text: String, at point: Point, _ style: String = "tick", anchor: String = "start") -> Markup {
        Markup("text", ["class": style, "x": at(point.x), "y": at(point.y), "text-anchor": anchor], text)
    }

    static func group(_ style: String, _ children: Markup...) -> Markup { Markup("g", ["class": style], children) }

    /// Makes a tooltip for the parent element.
    static func tip(_ text: String) -> Markup { Markup("title", text) }

    static func at(_ number: Double) -> String { DecimalText.trimmed(number, places: 1) }

    private static func trace(_ points: [Point]) -> String {
        points.enumerated().map { ($0 == 0 ? "M" : "L") + "\(at($1.x)) \(at($1.y))" }.joined()
    }
}

/// A point in a drawing, relative to the drawing's top left corner.
struct Point: Sendable {
    var x: Double
    var y: Double

    init(_ x: Double, _ y: Double) {
        self.x = x
        self.y = y
    }
}

/// A rectangle in a drawing.
struct Box: Sendable {
    var x: Double
    var y: Double
    var width: Double
    var height: Double

    init(_ x: Double, _ y: Double, _ width: Double, _ height: Double) {
        self.x = x
        self.y = y
        self.width = width
        self.height = height
    }

    var right: Double { x + width }
    var bottom: Double { y + height }
}
