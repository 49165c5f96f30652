public import Measurements

/// A report as a self-contained HTML page.
///
/// The charts are SVG, and the page works without scripts and without a network.
public struct ReportPage: Sendable {
    /// The size that a page should not exceed, in bytes.
    public static let targetByteCount = 300 * 1024

    /// The HTML of the page.
    public let html: String

    /// Draws a report.
    ///
    /// - Throws: `ReportError` if the report has no loads, or cannot be encoded as the JSON that the page contains.
    public init(_ report: ComparisonReport) throws(ReportError) {
        let json = try report.pageJSON()
        guard let load = report.loads.first else { throw ReportError(description: "the report has no loads") }
        let context = ReportContext(report: report, load: load)
        let footer = Markup("p", "Made by \(report.origin.tool). This file contains the numbers as JSON.")
        let body = Markup([
            ReportPage.header(context), VerdictPanel(context: context).markup, ReportPage.panels(context),
            MatrixTable(context: context).markup, OtherLoads(report: report).markup,
            OriginPanel(context: context).markup, Markup("footer", [:], footer),
        ])
        html = ReportPage.document(title: ReportPage.title(context), body: body, json: json)
    }

    private static func panels(_ context: ReportContext) -> Markup {
        let panels = [
            ForestPlot(context: context).panel, PercentileCurves(context: context).panel,
            RatioBand(context: context).panel, HeatMapPanel(context: context).panel, KneePanel(context: context).panel,
            LanesPanel(context: context).panel, CostPanel(context: context).panel, BlocksPanel(context: context).panel,
        ]
        return Markup(panels.compactMap { $0?.markup })
    }

    private static func title(_ context: ReportContext) -> String {
        let candidates = context.compared.filter { $0.role == .candidate }.map(\.name)
        let last = candidates.last ?? "nothing"
        let first = candidates.dropLast().joined(separator: ", ")
        return "\(first.isEmpty ? last : "\(first) and \(last)") compared with \(context.reference)"
    }

    private static func header(_ context: ReportContext) -> Markup {
        let origin = context.report.origin
        return Markup(
            "header", [:],
            context.report.notice.map { Markup("p", ["class": "notice", "role": "note"], $0) } ?? .nothing,
            Markup("h1", title(context)),
            Markup(
                "p", ["class": "lead"],
                "\(context.load.plan.title), \(context.load.plan.circumstances.pacing). \(origin.startedAt)"))
    }

    private static func document(title: String, body: Markup, json: String) -> String {
        let head = Markup(
            "head", [:], .void("meta", ["charset": "utf-8"]),
            .void("meta", ["name": "viewport", "content": "width=device-width, initial-scale=1"]),
            .void("meta", ["name": "color-scheme", "content": "light dark"]),
            .void("link", ["rel": "icon", "href": "data:,"]), Markup("title", title),
            Markup("style", [:], Markup(trusted: PageStyle.sheet)))
        let whole = Markup(
            "body", [:], Markup("main", [:], body),
            Markup("script", ["type": "application/json", "id": "report"], Markup(trusted: json)),
            Markup("script", [:], Markup(trusted: PageScript.source)))
        return "<!doctype html>\n" + Markup("html", ["lang": "en"], head, whole).html + "\n"
    }
}
