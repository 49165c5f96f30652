public import Measurements

/// The reason a report cannot be read, written or drawn.
public struct ReportError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The reason, with the key if there is one.
    public let description: String
}

extension ComparisonReport {
    /// Reads a report written by `json()`.
    ///
    /// - Throws: `ReportError` if the text is not JSON, not a report, or a report of another format.
    public init(json text: String) throws(ReportError) {
        let format = try JSONFormat.value(Format.self, from: text).format
        guard format == ComparisonReport.currentFormat else {
            throw ReportError(
                description: "the report has format \(format), and this program reads \(ComparisonReport.currentFormat)"
            )
        }
        self = try JSONFormat.value(ComparisonReport.self, from: text)
    }

    /// What all formats of a report have in common.
    private struct Format: Decodable { let format: Int }

    /// Returns the report as JSON, on one line.
    public func json() throws(ReportError) -> String { try JSONFormat.text(of: self) }

    /// Returns the JSON for the page, without what the page does not draw of the loads after the first.
    func pageJSON() throws(ReportError) -> String {
        var shown = self
        for load in shown.loads.indices.dropFirst() {
            shown.loads[load].heatMaps = []
            shown.loads[load].platform.leaveMeansOnly()
            for variant in shown.loads[load].variants.indices {
                for clock in shown.loads[load].variants[variant].latencies.indices {
                    shown.loads[load].variants[variant].latencies[clock].curve = []
                }
            }
        }
        return JSONFormat.embeddable(try shown.json())
    }
}
