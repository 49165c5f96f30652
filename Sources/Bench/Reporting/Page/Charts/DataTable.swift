/// The table with the numbers of a chart.
///
/// The table is below the chart and initially collapsed.
struct DataTable: Sendable {
    var head: [String]
    var rows: [[String]]
    var caption = "The numbers"

    var markup: Markup {
        let cells = rows.map { row in
            Markup(
                "tr", [:],
                row.enumerated().map { $0 == 0 ? Markup("th", ["scope": "row"], $1) : Markup("td", $1) })
        }
        let titles = Markup("tr", [:], head.map { Markup("th", ["scope": "col"], $0) })
        let table = Markup("table", [:], Markup("thead", [:], titles), Markup("tbody", [:], cells))
        return Markup("details", [:], Markup("summary", caption), Markup("div", ["class": "scroll"], table))
    }
}
