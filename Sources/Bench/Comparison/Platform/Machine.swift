internal import Measurements
internal import SystemCalls

/// Facts about the machine.
enum Machine {
    static func facts(_ plan: ComparisonPlan) -> [ComparisonReport.Fact] {
        let allowed = plan.processors == nil ? try? ProcessorAffinity.current() : nil
        let facts = [
            ("kernel", kernel), ("processor", processor), ("processors", allowed.map { "\($0.count)" }),
            ("pinning", plan.processors.map { "servers on \($0.servers), load on \($0.load)" }),
        ]
        return facts.compactMap { name, value in value.map { .init(name, $0) } }
    }

    /// The version of the kernel.
    static var kernel: String? { (try? TextFile.read("/proc/sys/kernel/osrelease")).map { trimmed($0) } }

    /// The name of the first processor.
    static var processor: String? { (try? TextFile.read("/proc/cpuinfo")).flatMap { processor(parsing: $0) } }

    /// Returns the name of the first processor in the text of `/proc/cpuinfo`.
    static func processor(parsing text: String) -> String? {
        let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
        return line?.split(separator: ":", maxSplits: 1).last.map(trimmed)
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
