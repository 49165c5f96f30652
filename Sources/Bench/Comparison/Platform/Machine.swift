internal import Measurements
internal import SystemCalls

/// Facts about the machine.
enum Machine {
    static func facts(_ plan: ComparisonPlan) -> [ComparisonReport.Fact] {
        var facts: [ComparisonReport.Fact] = []
        if let kernel = try? TextFile.read("/proc/sys/kernel/osrelease") {
            facts.append(.init("kernel", trimmed(kernel)))
        }
        if let text = try? TextFile.read("/proc/cpuinfo"), let model = processor(parsing: text) {
            facts.append(.init("processor", model))
        }
        if let allowed = try? ProcessorAffinity.current(), plan.processors == nil {
            facts.append(.init("processors", "\(allowed.count)"))
        }
        if let processors = plan.processors {
            facts.append(.init("pinning", "servers on \(processors.servers), load on \(processors.load)"))
        }
        return facts
    }

    /// The name of the first processor.
    static func processor(parsing text: String) -> String? {
        let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
        return line?.split(separator: ":", maxSplits: 1).last.map(trimmed)
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
