import Measurements

/// Small bar charts of the resources that each server uses.
struct CostPanel {
    private struct Kind {
        let title: String
        let number: (ServerCost) -> Double?
        let text: (Double) -> String
    }

    private static var allKinds: [Kind] {
        [
            Kind(title: "processor time per request", number: \.processorMicrosecondsPerRequest) {
                QuantityText.time($0 * 1000)
            },
            Kind(title: "system calls per request", number: \.systemCallsPerRequest, text: QuantityText.short),
            Kind(title: "context switches per request", number: \.contextSwitchesPerRequest, text: QuantityText.short),
            Kind(title: "memory per connection", number: \.residentBytesPerConnection, text: QuantityText.bytes),
            Kind(title: "threads", number: { $0.threads.map(Double.init) }, text: QuantityText.short),
        ]
    }

    let context: ReportContext

    private var kinds: [Kind] {
        CostPanel.allKinds.filter { kind in
            context.compared.contains { variant in variant.cost.flatMap { kind.number($0) } != nil }
        }
    }

    var panel: Panel? {
        guard !kinds.isEmpty else { return nil }
        return Panel(
            id: "cost", title: "Cost of a request",
            lead: "The resources that each server uses. System calls are counted in a separate pass, because counting "
                + "slows the server down.",
            alternative: alternative, table: table, draw: draw)
    }

    private func text(_ kind: Kind, _ variant: VariantResult) -> String {
        variant.cost.flatMap { kind.number($0) }.map(kind.text) ?? "n/a"
    }

    private var alternative: String {
        kinds.map { kind in
            "\(kind.title): " + context.compared.map { "\($0.name) \(text(kind, $0))" }.joined(separator: ", ")
        }.joined(separator: ". ")
    }

    private var table: DataTable {
        DataTable(
            head: [""] + kinds.map(\.title),
            rows: context.compared.map { variant in [variant.name] + kinds.map { text($0, variant) } })
    }

    private func draw(_ width: Double, _ alternative: String) -> Markup {
        let columns = width < 500 ? 1 : 2
        let variants = context.compared
        let cellWidth = (width - Double(columns - 1) * 40) / Double(columns)
        let cellHeight = Double(variants.count) * 24 + 44
        let lines = (kinds.count + columns - 1) / columns
        let plot = Plot(
            width: width, height: Double(lines) * cellHeight, left: 0, right: 0, top: 0, bottom: 0)
        let cells = kinds.enumerated().map { index, kind in
            let x = Double(index % columns) * (cellWidth + 40)
            let y = Double(index / columns) * cellHeight
            return draw(kind, variants, in: Box(x, y, cellWidth, cellHeight))
        }
        return plot.drawing(alternative, Markup(cells))
    }

    private func draw(_ kind: Kind, _ variants: [VariantResult], in box: Box) -> Markup {
        let values = variants.map { $0.cost.flatMap { kind.number($0) } }
        let scale = Scale(0, values.compactMap { $0 }.max() ?? 1, from: 0, to: box.width - 190)
        let bars = zip(variants, values).enumerated().map { index, pair in
            let (variant, value) = pair
            let y = box.y + 28 + Double(index) * 24
            let length = value.map { max(1, scale.place($0)) } ?? 0
            let bar = Box(box.x + 110, y, length, 16)
            return Shape.group(
                "", Shape.text(variant.name, at: Point(box.x + 102, y + 12), "label", anchor: "end"),
                Shape.rectangle(bar, "bar \(context.series(variant.name).style)", radius: 2),
                Shape.text(text(kind, variant), at: Point(bar.right + 8, y + 12), "label strong"),
                Shape.tip("\(variant.name): \(kind.title) \(text(kind, variant))"))
        }
        return Markup([Shape.text(kind.title, at: Point(box.x, box.y + 16), "label")] + bars)
    }
}
