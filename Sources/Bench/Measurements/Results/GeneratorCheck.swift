/// Measurements that show whether the load generator kept up with the load.
public struct GeneratorCheck: Hashable, Codable, Sendable {
    /// The largest acceptable rate, as a share of the highest rate that the load generator can reach.
    ///
    /// Above this share, the load generator distorts the measurements.
    public static let usableCeilingShare = 0.7
    /// The largest acceptable share of requests that were sent late.
    public static let toleratedLateShare = 0.01

    /// The median generator lag, in nanoseconds.
    ///
    /// The lag is the delay from the earliest time at which a request could be sent until it was sent.
    public var lagP50Nanoseconds: Double
    /// The 99th percentile of the generator lag, in nanoseconds.
    public var lagP99Nanoseconds: Double
    /// The share of requests that were sent late.
    public var lateShare: Double
    /// The requested rate as a share of the highest rate that the load generator can reach; `nil` if that rate is
    /// unknown.
    public var ceilingShare: Double?

    /// Reasons not to draw conclusions from the run; empty if the load generator kept up with the load.
    public var objections: [String] {
        var objections: [String] = []
        if let ceilingShare, ceilingShare > GeneratorCheck.usableCeilingShare {
            objections.append(
                "the load was \(GeneratorCheck.percent(ceilingShare)) of the load generator's highest rate")
        }
        if lateShare > GeneratorCheck.toleratedLateShare {
            objections.append("\(GeneratorCheck.percent(lateShare)) of the requests were sent late")
        }
        return objections
    }

    private static func percent(_ share: Double) -> String { DecimalText.fixed(share * 100, places: 1) + "%" }
}

extension GeneratorCheck {
    /// Makes a check from the lag of all requests and the number of late requests.
    public init(lag: LatencyHistogram, lateCount: Int, ceilingShare: Double?) {
        self.init(
            lagP50Nanoseconds: Double(lag.quantile(at: .p50) ?? 0),
            lagP99Nanoseconds: Double(lag.quantile(at: .p99) ?? 0),
            lateShare: lag.count > 0 ? Double(lateCount) / Double(lag.count) : 0, ceilingShare: ceilingShare)
    }
}
