import ArgumentParser
import Measurements
import Reporting
import SystemCalls
import Terminal

/// `uvbench report`: draws the HTML page of a comparison that was saved as JSON.
struct Report: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Draw the HTML page of a comparison that was saved as JSON.",
        discussion: "The page is self-contained and needs no network.")

    @Option(help: "The file to write the page to. (default: standard output)")
    var html: String?

    @Argument(help: "A file written by 'uvbench compare --json'.")
    var file: String

    func run() throws {
        let page: String
        do { page = try ReportPage(ComparisonReport(json: TextFile.read(file))).html } catch {
            throw ProgramFailure(message: "\(file): \(error)")
        }
        if let html { try ResultFile.write(page, to: html) } else { try StandardOutput.write(page) }
    }
}
