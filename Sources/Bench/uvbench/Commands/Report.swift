import ArgumentParser
import Measurements
import Reporting
import SystemCalls
import Terminal

/// `uvbench report`: the page of a comparison that was saved as JSON.
struct Report: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Draw the page of a comparison that was saved as JSON.",
        discussion: "The page is one file of HTML that needs nothing else, and opens offline.")

    @Option(help: "Where to write the page; to standard output where nothing is said.")
    var html: String?

    @Argument(help: "The comparison, as 'uvbench compare --json' has written it.")
    var file: String

    private func write(_ page: String) throws {
        guard let html else { return Console.write(page) }
        do { try TextFile.write(page, to: html) } catch { throw ProgramFailure(message: "\(html): \(error)") }
    }

    func run() throws {
        do {
            let page = try ReportPage(ComparisonReport(json: TextFile.read(file))).html
            try write(page)
        } catch let error as ReportError {
            throw ProgramFailure(message: "\(file): \(error)")
        } catch let error as SystemCallError {
            throw ProgramFailure(message: "\(file): \(error)")
        }
    }
}
