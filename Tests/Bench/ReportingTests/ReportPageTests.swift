import Foundation
import Measurements
import Reporting
import Testing

@Suite struct ReportPageTests {
    private static let sample = SampleReport.make()

    private static func page(_ change: (inout ComparisonReport) -> Void = { _ in }) throws -> String {
        var report = sample
        change(&report)
        return try ReportPage(report).html
    }

    @Test func aReportRoundTripsThroughJSON() throws {
        let text = try ReportPageTests.sample.json()
        let again = try ComparisonReport(json: text)
        #expect(try again.json() == text)
        let isSame =
            again.loads.flatMap(\.heatMaps).map(\.counts)
            == ReportPageTests.sample.loads.flatMap(\.heatMaps).map(\.counts)
        #expect(isSame)
        #expect(
            again.loads[0].comparisons.map(\.sentence) == ReportPageTests.sample.loads[0].comparisons.map(\.sentence))
    }

    @Test(arguments: [
        ("nothing", "not valid JSON"), ("[]", "Expected to decode Dictionary<String, Any>"),
        ("{\"format\":2}", "'origin' is missing"), ("{\"format\":\"1\"}", "'format': Expected to decode Int"),
    ])
    func anInvalidReportIsRejected(text: String, reason: String) {
        #expect { try ComparisonReport(json: text) } throws: { "\($0)".hasPrefix(reason) }
    }

    @Test func anotherFormatIsRejected() throws {
        var report = ReportPageTests.sample
        report.format = 1
        let text = try report.json()
        #expect {
            try ComparisonReport(json: text)
        } throws: {
            "\($0)" == "the report has format 1, but this program reads format 2"
        }
    }

    // To draw the page again, run: uvbench report docs/sample/report.json --html docs/sample/report.html
    @Test func theSamplePageIsDrawnFromItsNumbers() throws {
        let sample = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../../docs/sample")
        let json = try String(contentsOf: sample.appending(path: "report.json"), encoding: .utf8)
        let isSame =
            try ReportPage(ComparisonReport(json: json)).html
            == String(contentsOf: sample.appending(path: "report.html"), encoding: .utf8)
        #expect(isSame)
    }

    @Test func panelsAreInOrder() throws {
        let html = try ReportPageTests.page()
        let sections = html.matches(of: /<section id="([a-z]+)"/).map { String($0.1) }
        #expect(
            sections == [
                "verdict", "forest", "percentiles", "ratio", "time", "knee", "lanes", "cost", "blocks", "loads",
                "origin",
            ])
    }

    @Test func thePageIsSelfContained() throws {
        let html = try ReportPageTests.page()
        #expect(html.utf8.count <= ReportPage.targetByteCount)
        #expect(!html.contains("http"))
        #expect(!html.contains("@import"))
        #expect(html.matches(of: /(src|href)="([^"]*)"/).map { String($0.2) } == ["data:,"])
    }

    @Test func thePageContainsTheSentences() throws {
        let html = try ReportPageTests.page()
        for comparison in ReportPageTests.sample.loads.flatMap(\.comparisons) {
            #expect(html.contains(comparison.sentence))
        }
        #expect(html.contains(SampleReport.notice))
    }

    @Test func everyDrawingHasAnAlternativeAndItsNumbers() throws {
        let html = try ReportPageTests.page()
        for figure in html.components(separatedBy: "<figure").dropFirst() {
            let alternatives = figure.matches(of: /<svg role="img" aria-label="([^"]{20,})"/)
            #expect(alternatives.count == 2)
            #expect(figure.contains("<table>"))
        }
    }

    @Test func namesAreEscaped() throws {
        let html = try ReportPageTests.page { report in
            report.loads[0].comparisons[0].candidate = "</script><b a=\"&"
            report.origin.command = "a </script> b <!-- \u{2028}"
            report.loads[0].warnings = ["<i>"]
            report.warnings = ["<u>"]
        }
        #expect(!html.contains("<b a="))
        #expect(!html.contains("<i>") && !html.contains("<u>"))
        #expect(html.contains("&lt;i&gt;") && html.contains("&lt;u&gt;"))
        #expect(html.components(separatedBy: "</script>").count == 3)
        let json = try #require(html.firstMatch(of: /id="report">(.*?)<\/script>/)).1
        #expect(!json.contains("<") && !json.unicodeScalars.contains("\u{2028}"))
        #expect(html.contains("&lt;/script&gt;&lt;b a=&quot;&amp;"))
    }

    @Test func theNumbersInThePageAreAReport() throws {
        let html = try ReportPageTests.page()
        let match = try #require(html.firstMatch(of: /<script type="application\/json" id="report">(.*?)<\/script>/))
        let report = try ComparisonReport(json: String(match.1))
        #expect(report.origin == ReportPageTests.sample.origin)
        #expect(report.loads[0].heatMaps.count == 3)
    }

    @Test func aMinimalReportIsDrawn() throws {
        let html = try ReportPageTests.page { report in
            report.notice = nil
            report.lanes = []
            report.baseline = nil
            report.loads.removeLast()
            report.loads[0].comparisons = []
            report.loads[0].noiseFloor = nil
            report.loads[0].matrix = []
            report.loads[0].heatMaps = []
            report.ladders = []
            report.loads[0].variants.removeLast(4)
            report.loads[0].variants[0].cost = nil
            report.loads[0].variants[0].latencies = []
        }
        #expect(html.contains("no conclusion is possible"))
        #expect(!html.contains("nan"))
        #expect(!html.contains("inf"))
    }

    @Test func aReportWithoutLoadsIsRejected() {
        #expect(throws: ReportError.self) { try ReportPageTests.page { $0.loads = [] } }
    }

    @Test func aBaselineShowsBothRuns() throws {
        let baseline = try #require(ReportPageTests.sample.baseline)
        #expect(baseline.rows.map(\.candidate) == ["libuv", "threads", "libuv", "threads"])
        #expect(baseline.rows.map(\.hasChanged) == [false, false, false, false])
        #expect(baseline.differences == ["kernel: Linux 6.0, now Linux 6.1"])
        #expect(try ReportPageTests.page().contains("The machine may differ between two runs"))
    }
}
