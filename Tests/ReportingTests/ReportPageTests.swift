import Foundation
import Measurements
import Reporting
import Testing

@Suite struct ReportPageTests {
    private static let sample = SampleReport.make()

    @Test func aReportComesBackFromItsJSON() throws {
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

    @Test func writeThePage() throws {
        let page = try ReportPage(ReportPageTests.sample)
        try page.html.write(toFile: "/tmp/hdr/page.html", atomically: true, encoding: .utf8)
        try ReportPageTests.sample.json().write(toFile: "/tmp/hdr/sample.json", atomically: true, encoding: .utf8)
    }
}
