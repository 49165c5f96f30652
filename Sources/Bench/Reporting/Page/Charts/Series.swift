/// How one of several things is told apart in all charts: a colour, and a marker and a dash for those who do not see it.
struct Series: Sendable {
    /// The series' number among those of the page; beyond five they begin again.
    let index: Int
    let name: String

    private var slot: Int { index % 5 }

    /// The class of everything that belongs to the series.
    var style: String { "s\(slot)" }

    /// The series' marker at a point.
    ///
    /// - Parameters:
    ///   - tip: what a pointer that rests on it reads.
    ///   - isHollow: whether only its edge is drawn.
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
