/// Whether the load generator was fit to measure what it did.
public struct GeneratorCheck: Hashable, Codable, Sendable {
    /// The share of its ceiling above which a generator is part of what it measures.
    public static let usableCeilingShare = 0.7
    /// The share of slots that may leave late.
    public static let toleratedLateShare = 0.01

    /// By how much requests left late, from intended to sent: the median, in nanoseconds.
    public var lagP50Nanoseconds: Double
    /// The 99th percentile of the same.
    public var lagP99Nanoseconds: Double
    /// The share of slots that left late.
    public var lateShare: Double
    /// The rate that was asked for, as a share of what the generator can do; `nil` where its ceiling is unknown.
    public var ceilingShare: Double?

    /// Makes a check of its numbers.
    public init(lagP50Nanoseconds: Double, lagP99Nanoseconds: Double, lateShare: Double, ceilingShare: Double?) {
        self.lagP50Nanoseconds = lagP50Nanoseconds
        self.lagP99Nanoseconds = lagP99Nanoseconds
        self.lateShare = lateShare
        self.ceilingShare = ceilingShare
    }

    /// Why nothing may be concluded from the run; empty where the generator was fit.
    public var objections: [String] {
        var objections: [String] = []
        if let ceilingShare, ceilingShare > GeneratorCheck.usableCeilingShare {
            objections.append("the load was \(GeneratorCheck.percent(ceilingShare)) of what the generator can do")
        }
        if lateShare > GeneratorCheck.toleratedLateShare {
            objections.append("\(GeneratorCheck.percent(lateShare)) of the slots left late")
        }
        return objections
    }

    private static func percent(_ share: Double) -> String { DecimalText.fixed(share * 100, places: 1) + "%" }
}
