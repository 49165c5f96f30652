/// How one of several things is told apart in all charts: a colour, and a marker and a dash for those who do not see it.
struct Series: Sendable {
    /// The series' number among those of the page; beyond five they begin again.
    let index: Int
    let name: String

    private var slot: Int { index % 5 }

    /// The class of everything that belongs to the series.
    var style: String { "s\(slot)" }

    /// The series' marker at a point.
    func marker(_ point: Point, size: Double = 4) -> Markup {
        let (x, y) = (point.x, point.y)
        let corners: [Point] =
            switch slot {
            case 1:
                [
                    Point(x - size, y - size), Point(x + size, y - size), Point(x + size, y + size),
                    Point(x - size, y + size),
                ]
            case 2: [Point(x, y - size * 1.3), Point(x + size * 1.2, y + size), Point(x - size * 1.2, y + size)]
            case 3:
                [
                    Point(x, y - size * 1.4), Point(x + size * 1.4, y), Point(x, y + size * 1.4),
                    Point(x - size * 1.4, y),
                ]
            case 4: [Point(x, y + size * 1.3), Point(x + size * 1.2, y - size), Point(x - size * 1.2, y - size)]
            default: (0..<12).map { Series.corner($0, point, size) }
            }
        return Shape.area(corners, [], "mark \(style)")
    }

    /// One of twelve corners, which look like a circle.
    private static func corner(_ index: Int, _ point: Point, _ size: Double) -> Point {
        let sines = [0, 0.5, 0.866, 1, 0.866, 0.5, 0, -0.5, -0.866, -1, -0.866, -0.5]
        return Point(point.x + size * 1.1 * sines[(index + 3) % 12], point.y + size * 1.1 * sines[index])
    }
}
