public import Measurements

/// Why an earlier report cannot be used.
public struct ReportError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The reason, with the place in the text.
    public let description: String
}

extension ComparisonReport {
    /// Reads a report that `json` has written, here or by an earlier version with the same format.
    ///
    /// - Throws: `ReportError` for what is no such report.
    public init(json text: String) throws(ReportError) {
        let report: ComparisonReport
        do {
            report = try JSONText(parsing: text).decoded(as: ComparisonReport.self)
        } catch let error as JSONError {
            throw ReportError(description: "this is not JSON: \(error)")
        } catch {
            throw ReportError(description: "this is not a report: \(ComparisonReport.reason(error))")
        }
        guard report.format == ComparisonReport.currentFormat else {
            throw ReportError(
                description: "the report has format \(report.format), and not \(ComparisonReport.currentFormat)")
        }
        self = report
    }

    /// The report as JSON, without indentation, its fractions rounded to seven digits: more than was measured.
    ///
    /// - Throws: `ReportError` where a count is beyond what JSON keeps exactly, 2⁵³.
    public func json() throws(ReportError) -> String { try json(digits: 7) }

    /// The report as JSON with as many digits as a page needs, and without what a page does not draw of its other loads.
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
        return try shown.json(digits: 5)
    }

    private func json(digits: Int) throws(ReportError) -> String {
        do { return try JSONText(encoding: self).rounded(digits: digits).compactText } catch {
            throw ReportError(description: "\(error)")
        }
    }

    private static func reason(_ error: any Error) -> String {
        switch error as? DecodingError {
        case .typeMismatch(_, let context), .valueNotFound(_, let context), .keyNotFound(_, let context),
            .dataCorrupted(let context):
            let place = context.codingPath.map(\.stringValue).joined(separator: ".")
            return place.isEmpty ? context.debugDescription : "\(place): \(context.debugDescription)"
        default: return "\(error)"
        }
    }
}
