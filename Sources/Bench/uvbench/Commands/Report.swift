import ArgumentParser
import Measurements
import Reporting
import SystemCalls
import Terminal

/// `uvbench report`: draws the page of a comparison that was saved as JSON.
struct Report: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Draw the page of a comparison that was saved as JSON.",
        discussion: "The page is self-contained HTML, and needs no network.")

    @Option(help: "The file to write the page to. (default: standard output)")
    var html: String?

    @Argument(help: "A file written by 'uvbench compare --json'.")
    var file: String

    func run() throws {
        do {
            let page = try ReportPage(ComparisonReport(json: TextFile.read(file))).html
            if let html { try ResultFile.write(page, to: html) } else { Console.write(page) }
        } catch let error as ReportError {
            throw ProgramFailure(message: "\(file): \(error)")
        } catch let error as SystemCallError {
            throw ProgramFailure(message: "\(file): \(error)")
        }
    }
}
