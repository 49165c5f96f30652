// Fuzzes the reader of report files, and the page that is drawn from a report. A report that was read must not change
// when it is written and read again.
import Measurements
import Reporting

/// Reads one input as a report, writes it, and draws its page.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let text = String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    let report: ComparisonReport
    do { report = try ComparisonReport(json: text) } catch {
        precondition(!error.description.isEmpty)
        return 0
    }
    do {
        let written = try report.json()
        let again = try ComparisonReport(json: written).json()
        precondition(again == written, "the report changes when it is written and read")
    } catch { preconditionFailure("a report cannot be written and read again: \(error)") }
    guard let page = try? ReportPage(report).html else { return 0 }
    precondition(page.hasPrefix("<!doctype html>") && page.hasSuffix("</html>\n"))
    return 0
}
