/// Whether the load generator could keep up with the load it measured.
public struct GeneratorCheck: Hashable, Codable, Sendable {
    /// The share of its ceiling above which the generator distorts the measurements.
    public static let usableCeilingShare = 0.7
    /// The largest acceptable share of slots that left late.
    public static let toleratedLateShare = 0.01

    /// The median delay from when a request was due until it was sent, in nanoseconds.
    public var lagP50Nanoseconds: Double
    /// The 99th percentile of this delay.
    public var lagP99Nanoseconds: Double
    /// The share of slots that left late.
    public var lateShare: Double
    /// The requested rate as a share of the generator's ceiling; `nil` if the ceiling is unknown.
    public var ceilingShare: Double?

    /// Reasons not to draw conclusions from the run; empty if the generator kept up.
    public var objections: [String] {
        var objections: [String] = []
        if let ceilingShare, ceilingShare > GeneratorCheck.usableCeilingShare {
            objections.append("the load was \(GeneratorCheck.percent(ceilingShare)) of the generator's ceiling")
        }
        if lateShare > GeneratorCheck.toleratedLateShare {
            objections.append("\(GeneratorCheck.percent(lateShare)) of the slots left late")
        }
        return objections
    }

    private static func percent(_ share: Double) -> String { DecimalText.fixed(share * 100, places: 1) + "%" }
}

extension GeneratorCheck {
    /// Makes a check from the delays of all slots, and the number of those that left late.
    public init(lag: LatencyHistogram, lateCount: Int, ceilingShare: Double?) {
        self.init(
            lagP50Nanoseconds: Double(lag.quantile(at: .p50) ?? 0),
            lagP99Nanoseconds: Double(lag.quantile(at: .p99) ?? 0),
            lateShare: lag.count > 0 ? Double(lateCount) / Double(lag.count) : 0, ceilingShare: ceilingShare)
    }
}
