/// One chart of the page: drawn for wide and for narrow screens, with a text alternative, a legend and its numbers.
struct Panel {
    /// What can be switched off.
    struct Entry {
        let series: Series
        /// How the series is drawn here, in the legend's words.
        var note = ""
    }

    static let wideWidth = 920.0
    static let narrowWidth = 358.0

    let id: String
    let title: String
    /// What to look for, in a sentence or two.
    let lead: String
    /// What the chart says, for those who do not see it.
    let alternative: String
    var legend: [Entry] = []
    var table: DataTable?
    let draw: (_ width: Double, _ alternative: String) -> Markup

    var markup: Markup { Panel.section(id, title, lead, [figure]) }

    /// The chart without its heading.
    var figure: Markup {
        Markup(
            "figure", [:],
            [
                legendMarkup,
                Markup("div", ["class": "wide"], [draw(Panel.wideWidth, alternative)]),
                Markup("div", ["class": "narrow"], [draw(Panel.narrowWidth, alternative)]),
                table?.markup ?? .nothing,
            ])
    }

    static func section(_ id: String, _ title: String, _ lead: String, _ content: [Markup]) -> Markup {
        let head = [Markup("h2", title), lead.isEmpty ? .nothing : Markup("p", ["class": "lead"], lead)]
        return Markup("section", ["id": id], head + content)
    }

    /// Boxes that switch series off: they work without a script, and by keyboard.
    private var legendMarkup: Markup {
        guard !legend.isEmpty else { return .nothing }
        let boxes = legend.map { entry in
            let swatch = Plot(width: 26, height: 14, left: 0, right: 0, top: 0, bottom: 0)
                .plain([
                    Shape.line(Point(1, 7), Point(25, 7), "line \(entry.series.style)"),
                    entry.series.marker(Point(13, 7), size: 3.6),
                ])
            return Markup(
                "label", ["class": "entry"],
                [
                    .void("input", ["type": "checkbox", "checked": "", "class": "show-\(entry.series.style)"]),
                    swatch, Markup("span", entry.series.name),
                    entry.note.isEmpty ? .nothing : Markup("small", entry.note),
                ])
        }
        return Markup("div", ["class": "legend", "role": "group", "aria-label": "Series shown"], boxes)
    }
}

extension Plot {
    /// A drawing that means nothing by itself.
    func plain(_ pieces: [Markup]) -> Markup {
        Markup(
            "svg",
            ["aria-hidden": "true", "viewBox": "0 0 \(Shape.at(width)) \(Shape.at(height))", "width": Shape.at(width)],
            pieces)
    }
}
