/// A chart of the page, with its heading, legend, text alternative and table of numbers.
///
/// The chart is drawn twice, for wide and for narrow screens.
struct Panel {
    /// An entry of the legend.
    ///
    /// Readers can hide its series.
    struct Entry {
        let series: Series
        /// A note after the series' name in the legend.
        var note = ""
    }

    static let wideWidth = 920.0
    static let narrowWidth = 358.0

    let id: String
    let title: String
    /// An introduction of one or two sentences.
    let lead: String
    /// The text alternative of the chart.
    let alternative: String
    var legend: [Entry] = []
    var table: DataTable?
    let draw: (_ width: Double, _ alternative: String) -> Markup

    var markup: Markup { Panel.section(id, title, lead, figure) }

    /// The chart with its legend and table, but without its heading.
    var figure: Markup {
        Markup(
            "figure", [:], legendMarkup, Markup("div", ["class": "wide"], draw(Panel.wideWidth, alternative)),
            Markup("div", ["class": "narrow"], draw(Panel.narrowWidth, alternative)), table?.markup ?? .nothing)
    }

    static func section(_ id: String, _ title: String, _ lead: String, _ content: Markup...) -> Markup {
        Markup("section", ["id": id], Markup("h2", title), Markup("p", ["class": "lead"], lead), Markup(content))
    }

    /// The legend's check boxes, which show and hide series without a script.
    private var legendMarkup: Markup {
        guard !legend.isEmpty else { return .nothing }
        let boxes = legend.map { entry in
            let swatch = Plot(width: 26, height: 14, left: 0, right: 0, top: 0, bottom: 0)
                .plain(
                    Shape.line(Point(1, 7), Point(25, 7), "line \(entry.series.style)"),
                    entry.series.marker(Point(13, 7), size: 3.6))
            return Markup(
                "label", ["class": "entry"],
                .void("input", ["type": "checkbox", "checked": "", "class": "show-\(entry.series.style)"]), swatch,
                Markup("span", entry.series.name), entry.note.isEmpty ? .nothing : Markup("small", entry.note))
        }
        return Markup("div", ["class": "legend", "role": "group", "aria-label": "Series shown"], boxes)
    }
}

extension Plot {
    /// Returns a drawing that is only decorative, and hidden from screen readers.
    func plain(_ pieces: Markup...) -> Markup {
        Markup(
            "svg",
            ["aria-hidden": "true", "viewBox": "0 0 \(Shape.at(width)) \(Shape.at(height))", "width": Shape.at(width)],
            pieces)
    }
}
