/// Latency at rising rates, and the knee: the rate at which the server stops keeping up.
public struct RateLadder: Hashable, Codable, Sendable {
    /// One run at one rate.
    public struct Step: Hashable, Codable, Sendable {
        /// The requested rate, in requests per second.
        public var rate: Double
        /// The rate of replies, per second.
        public var answeredRate: Double
        /// The median response time, in nanoseconds.
        public var p50Nanoseconds: Double
        /// The 99th percentile of the response time, in nanoseconds; `nil` with fewer than ten samples above it.
        public var p99Nanoseconds: Double?

        /// Makes a step.
        public init(rate: Double, answeredRate: Double, p50Nanoseconds: Double, p99Nanoseconds: Double?) {
            self.rate = rate
            self.answeredRate = answeredRate
            self.p50Nanoseconds = p50Nanoseconds
            self.p99Nanoseconds = p99Nanoseconds
        }
    }

    /// The range in which the knee lies.
    public struct Knee: Hashable, Codable, Sendable {
        /// The highest rate up to which every run held; `nil` if the lowest rate failed.
        public var held: Double?
        /// The lowest rate from which no run held; `nil` if the highest rate held.
        public var failed: Double?
    }

    /// The minimum share of requests that must get a reply in time.
    public static let answeredShare = 0.98
    /// The maximum median of a run, relative to the median at the lowest rate.
    public static let latencyFactor = 5.0

    /// The server's name.
    public var variant: String
    /// The runs, in any order; a rate may have several.
    public var steps: [Step]

    /// Makes a ladder.
    public init(variant: String, steps: [Step]) {
        self.variant = variant
        self.steps = steps
    }

    /// Whether the server kept up: it replied to almost all requests, and its median stayed near that of the lowest rate.
    public func holds(_ step: Step) -> Bool {
        let unloaded = OrderedSample(steps.filter { $0.rate == lowestRate }.map(\.p50Nanoseconds)).median ?? 0
        return step.answeredRate >= step.rate * RateLadder.answeredShare
            && step.p50Nanoseconds <= unloaded * RateLadder.latencyFactor
    }

    /// The range of the knee; rates within it both held and failed, or were not tried.
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
