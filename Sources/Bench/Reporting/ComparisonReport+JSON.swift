public import Measurements

/// The reason why a report cannot be read, written or drawn.
public struct ReportError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The text of the error.
    ///
    /// If a key caused the error, the text names the key.
    public let description: String
}

extension ComparisonReport {
    /// Reads a report written by `json()`.
    ///
    /// - Throws: `ReportError` if the text is not JSON or not a report, or if the report's format has another version.
    public init(json text: String) throws(ReportError) {
        let format = try JSONFormat.value(Format.self, from: text).format
        guard format == ComparisonReport.currentFormat else {
            throw ReportError(
                description: "the report has format \(format), but this program reads format "
                    + "\(ComparisonReport.currentFormat)"
            )
        }
        self = try JSONFormat.value(ComparisonReport.self, from: text)
    }

    /// The part of a report that is the same in every version of the format.
    private struct Format: Decodable { let format: Int }

    /// Returns the report as JSON, on one line.
    public func json() throws(ReportError) -> String { try JSONFormat.text(of: self) }

    /// Returns the JSON that the page contains.
    ///
    /// For all loads except the first, the JSON omits the data that the page does not draw.
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
