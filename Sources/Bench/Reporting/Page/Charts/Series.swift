/// The style of a server in all charts: a colour, and a marker that can be distinguished without colour.
struct Series: Sendable {
    /// The index of the series on the page.
    ///
    /// Styles repeat after five series.
    let index: Int
    let name: String

    private var slot: Int { index % 5 }

    /// The CSS class of the series.
    var style: String { "s\(slot)" }

    /// Draws the series' marker at a point.
    ///
    /// - Parameters:
    ///   - tip: the tooltip.
    ///   - isHollow: whether only the outline is drawn.
    func marker(_ point: Point, size: Double = 4, tip: String? = nil, isHollow: Bool = false) -> Markup {
        let (x, y) = (point.x, point.y)
        let style = "mark \(style)" + (isHollow ? " hollow" : "")
        let children = tip.map { [Shape.tip($0)] } ?? []
        let corners: [Point]
        switch slot {
        case 0: return Shape.circle(point, radius: size * 1.1, style, children)
        case 1: return Shape.rectangle(Box(x - size, y - size, 2 * size, 2 * size), style, children)
        case 2: corners = [Point(x, y - size * 1.3), Point(x + size * 1.2, y + size), Point(x - size * 1.2, y + size)]
        case 3:
            let reach = size * 1.4
            corners = [Point(x, y - reach), Point(x + reach, y), Point(x, y + reach), Point(x - reach, y)]
        default: corners = [Point(x, y + size * 1.3), Point(x + size * 1.2, y - size), Point(x - size * 1.2, y - size)]
        }
        return Shape.area(corners, [], style, children)
    }
}
