import Measurements

/// Where the numbers come from, and how to get them again.
struct OriginPanel {
    let context: ReportContext

    var markup: Markup {
        Panel.section(
            "origin", "How to get these numbers again",
            "Times are this machine's, today. Ratios travel further than times, and neither travels far.",
            [
                Markup("pre", ["class": "command"], context.report.origin.command),
                Markup("dl", ["class": "facts"], facts.flatMap { [Markup("dt", $0.name), Markup("dd", $0.value)] }),
            ])
    }

    private var facts: [ComparisonReport.Fact] {
        let origin = context.report.origin
        let generator = context.load.generator
        let rule = context.load.platform.rule
        let first: [ComparisonReport.Fact] = [
            .init("seed", origin.seed), .init("began", origin.startedAt),
            .init("took", "\(QuantityText.short(origin.durationSeconds)) s"), .init("program", origin.tool),
        ]
        let last: [ComparisonReport.Fact] = [
            .init("warm-up", "\(QuantityText.count(Double(context.load.plan.warmUpRequests))) requests dropped"),
            .init(
                "generator",
                "lag p50 \(QuantityText.time(generator.lagP50Nanoseconds)), p99 "
                    + "\(QuantityText.time(generator.lagP99Nanoseconds)); \(QuantityText.percent(generator.lateShare)) late"
                    + (generator.ceilingShare.map { "; at \(QuantityText.percent($0)) of its ceiling" } ?? "")),
            .init(
                "a block is disturbed",
                "where more than \(QuantityText.percent(rule.sampleShare)) of its samples show a hiccup above "
                    + "\(QuantityText.time(rule.hiccupMicroseconds * 1000)), steal above "
                    + "\(QuantityText.percent(rule.stealShare)), pressure above \(QuantityText.percent(rule.pressureShare)), a run "
                    + "delay above \(QuantityText.percent(rule.runDelayShare)) or foreign load above "
                    + QuantityText.percent(rule.foreignShare)),
        ]
        return first + context.report.environment + last
    }
}
