import Measurements

/// The data that all panels draw: one load of a report, with a style for each server.
struct ReportContext {
    let report: ComparisonReport
    let load: LoadReport

    /// The servers that are compared, without the control and the floor.
    var compared: [VariantResult] { load.variants.filter { $0.role == .reference || $0.role == .candidate } }

    var floor: VariantResult? { load.variants.first { $0.role == .floor } }

    var reference: String { load.variants.first { $0.role == .reference }?.name ?? "the reference" }

    /// The endpoint of the headline.
    var endpoint: Endpoint { load.comparisons.first?.endpoint ?? .standard }

    var margin: Margin { load.comparisons.first?.margin ?? .standard }

    /// The style of a server, the same in every chart of the page.
    func series(_ name: String) -> Series {
        let names = report.loads.flatMap(\.variants).filter { $0.role == .reference || $0.role == .candidate }.map(
            \.name)
        let lanes = report.lanes.map(\.variant)
        var known: [String] = []
        for name in names + lanes where !known.contains(name) { known.append(name) }
        return Series(index: known.firstIndex(of: name) ?? known.count, name: name)
    }
}
