import Measurements

/// The panel that describes the run and shows how to repeat it.
struct OriginPanel {
    let context: ReportContext

    var markup: Markup {
        Panel.section(
            "origin", "How to reproduce these numbers",
            "Absolute times are valid only for this machine and this run. Ratios depend on the machine too, but less than "
                + "times do.",
            Markup("pre", ["class": "command"], context.report.origin.command),
            Markup("dl", ["class": "facts"], facts.flatMap { [Markup("dt", $0.name), Markup("dd", $0.value)] }))
    }

    private var facts: [ComparisonReport.Fact] {
        let origin = context.report.origin
        let generator = context.load.generator
        let rule = context.load.platform.rule
        let first: [ComparisonReport.Fact] = [
            .init("seed", origin.seed), .init("started", origin.startedAt),
            .init("duration", "\(QuantityText.short(origin.durationSeconds)) s"), .init("program", origin.tool),
        ]
        let last: [ComparisonReport.Fact] = [
            .init("warm-up", "\(QuantityText.count(Double(context.load.plan.warmUpRequests))) requests, not measured"),
            .init(
                "generator",
                "lag p50 \(QuantityText.time(generator.lagP50Nanoseconds)), p99 "
                    + "\(QuantityText.time(generator.lagP99Nanoseconds)); \(QuantityText.percent(generator.lateShare)) of requests late"
                    + (generator.ceilingShare.map { "; at \(QuantityText.percent($0)) of its highest rate" } ?? "")),
            .init(
                "a block is disturbed",
                "if more than \(QuantityText.percent(rule.sampleShare)) of its samples show a hiccup above "
                    + "\(QuantityText.time(rule.hiccupMicroseconds * 1000)), steal above "
                    + "\(QuantityText.percent(rule.stealShare)), pressure above \(QuantityText.percent(rule.pressureShare)), a run "
                    + "delay above \(QuantityText.percent(rule.runDelayShare)) or foreign load above "
                    + QuantityText.percent(rule.foreignShare)),
        ]
        return first + context.report.environment + last
    }
}
