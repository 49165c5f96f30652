/// One server's latency at rising rates, and its knee.
///
/// The knee is the rate at which the server stops keeping up.
public struct RateLadder: Hashable, Codable, Sendable {
    /// One run at one rate.
    public struct Step: Hashable, Codable, Sendable {
        /// The requested rate, in requests per second.
        public var rate: Double
        /// The rate of replies, in replies per second.
        public var replyRate: Double
        /// The median response time, in nanoseconds.
        public var p50Nanoseconds: Double
        /// The 99th percentile of the response time, in nanoseconds; `nil` if fewer than ten samples are above it.
        public var p99Nanoseconds: Double?

        /// Makes the result of one run.
        public init(rate: Double, replyRate: Double, p50Nanoseconds: Double, p99Nanoseconds: Double?) {
            self.rate = rate
            self.replyRate = replyRate
            self.p50Nanoseconds = p50Nanoseconds
            self.p99Nanoseconds = p99Nanoseconds
        }
    }

    /// The range of rates in which the knee lies.
    public struct Knee: Hashable, Codable, Sendable {
        /// The highest rate below the knee; `nil` if there is no such rate.
        ///
        /// At this rate and at all lower rates, the server kept up in every run.
        public var held: Double?
        /// The lowest rate above the knee; `nil` if there is no such rate.
        ///
        /// At this rate and at all higher rates, the server kept up in no run.
        public var failed: Double?
    }

    /// A server keeps up only if the rate of replies is at least this share of the requested rate.
    public static let replyShare = 0.98
    /// A server keeps up only if its median response time is at most this many times the median at the lowest rate.
    public static let latencyFactor = 5.0

    /// The server's name.
    public var variant: String
    /// The runs, in any order.
    ///
    /// There may be several runs at the same rate.
    public var steps: [Step]

    /// Makes a ladder.
    public init(variant: String, steps: [Step]) {
        self.variant = variant
        self.steps = steps
    }

    /// Returns whether the server kept up in a run.
    ///
    /// A server kept up if it replied to almost all requests, and if its median response time stayed close to the
    /// median at the lowest rate.
    public func holds(_ step: Step) -> Bool {
        let unloaded = OrderedSample(steps.filter { $0.rate == lowestRate }.map(\.p50Nanoseconds)).median ?? 0
        return step.replyRate >= step.rate * RateLadder.replyShare
            && step.p50Nanoseconds <= unloaded * RateLadder.latencyFactor
    }

    /// The range of rates in which the knee lies.
    ///
    /// At rates between `held` and `failed`, the results of the runs are mixed, or there were no runs.
    public var knee: Knee {
        let failing = steps.filter { !holds($0) }.map(\.rate)
        let holding = steps.filter(holds).map(\.rate)
        let firstFailure = failing.min() ?? .infinity
        let lastSuccess = holding.max() ?? -.infinity
        return Knee(
            held: holding.filter { $0 < firstFailure }.max(), failed: failing.filter { $0 > lastSuccess }.min())
    }

    private var lowestRate: Double { steps.map(\.rate).min() ?? 0 }
}
