import Measurements

/// The panel of the verdicts.
///
/// The panel shows the sentence, the reasons and the facts of each comparison.
struct VerdictPanel {
    let context: ReportContext

    var markup: Markup {
        let comparisons = context.load.comparisons.map(card)
        let none = Markup(
            "p", ["class": "lead"], "No block of this run has a value to compare, so no conclusion is possible.")
        return Markup(
            "section", ["id": "verdict"], warnings, comparisons.isEmpty ? none : Markup(comparisons), baseline)
    }

    private func card(_ comparison: PairedComparison) -> Markup {
        Markup(
            "article", ["class": "card \(comparison.verdict.rawValue)"],
            Markup(
                "div", ["class": "headline"], Markup("span", ["class": "chip"], comparison.verdict.rawValue),
                Markup("span", ["class": "big"], ratio(comparison)),
                Markup("span", ["class": "what"], about(comparison))),
            Markup("p", ["class": "sentence"], comparison.sentence),
            Markup("dl", ["class": "facts"], facts(comparison).flatMap { [Markup("dt", $0.0), Markup("dd", $0.1)] }),
            reasons(comparison))
    }

    private func ratio(_ comparison: PairedComparison) -> String {
        comparison.headline.map { QuantityText.ratio($0.ratio.value) + "×" } ?? "n/a"
    }

    private func about(_ comparison: PairedComparison) -> String {
        "\(comparison.candidate) compared with \(comparison.reference): \(comparison.endpoint.percentile) "
            + "\(comparison.endpoint.clock.title), \(context.load.plan.title)"
    }

    private func facts(_ comparison: PairedComparison) -> [(String, String)] {
        var facts: [(String, String)] = []
        if let headline = comparison.headline {
            let difference = headline.differenceNanoseconds
            let interval = QuantityText.interval(difference.interval, QuantityText.difference)
            facts.append(("difference", "\(QuantityText.difference(difference.value)) (\(interval))"))
            facts.append(("bootstrap", QuantityText.interval(headline.ratio.bootstrap, QuantityText.ratio)))
        }
        if let slower = comparison.referenceSlower {
            let interval = QuantityText.interval(slower.interval, QuantityText.percent)
            facts.append(
                ("\(comparison.reference) is slower in", "\(QuantityText.percent(slower.value)) of pairs (\(interval))")
            )
        }
        let total = comparison.blockRatios.count
        let undisturbed = comparison.undisturbed.map { "\(RatioText.text($0.ratio)), " } ?? ""
        facts.append(("undisturbed blocks only", "\(undisturbed)\(comparison.undisturbedBlocks) of \(total)"))
        facts.append(("method", VerdictPanel.method(comparison)))
        return facts
    }

    private static func method(_ comparison: PairedComparison) -> String {
        let byStart = comparison.headline?.ratio.method == .studentOverStarts
        let method = byStart ? "Student's t over starts" : "signed-rank test over blocks"
        let probability = QuantityText.probability(comparison.adjustedPValue)
        return "\(method), p \(probability.first?.isNumber == true ? "= " : "")\(probability)"
    }

    private func reasons(_ comparison: PairedComparison) -> Markup {
        guard !comparison.reasons.isEmpty else { return .nothing }
        return Markup("ul", ["class": "reasons"], comparison.reasons.map { Markup("li", $0) })
    }

    private var warnings: Markup {
        let all = context.report.warnings + context.load.warnings + context.load.generator.objections
        guard !all.isEmpty else { return .nothing }
        return Markup("div", ["class": "warning", "role": "note"], all.map { Markup("p", $0) })
    }

    private var baseline: Markup {
        guard let baseline = context.report.baseline else { return .nothing }
        let table = DataTable(
            head: ["load", "ratio", "earlier run", "this run", "changed"],
            rows: baseline.rows.map { row in
                [
                    row.load, "\(row.candidate) / \(row.reference), \(row.endpoint.percentile)",
                    RatioText.text(row.earlier), RatioText.text(row.now), row.changeText,
                ]
            }, caption: "Compared with the earlier run of \(baseline.startedAt)")
        let caution =
            "The machine may differ between two runs. Each ratio is therefore relative to the reference of its own run. "
            + (baseline.differences.isEmpty ? "" : "Differences: \(baseline.differences.joined(separator: "; ")).")
        return Markup("div", ["class": "baseline"], table.markup, Markup("p", ["class": "lead"], caution))
    }
}

extension QuantityText {
    /// Formats a probability with three digits after the point, or as `below 0.001`.
    static func probability(_ probability: Double) -> String {
        probability < 0.001 ? "below 0.001" : DecimalText.fixed(probability, places: 3)
    }
}
