/// Latency at rising rates, and the knee: where the server stops keeping up.
public struct RateLadder: Hashable, Codable, Sendable {
    /// One run at one rate.
    public struct Step: Hashable, Codable, Sendable {
        /// Requests per second that were due.
        public var rate: Double
        /// Requests per second that were answered.
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

    /// Where the knee lies.
    public struct Knee: Hashable, Codable, Sendable {
        /// The highest rate up to which every run held; `nil` where the lowest rate failed already.
        public var held: Double?
        /// The lowest rate from which on no run held; `nil` where the highest rate held.
        public var failed: Double?
    }

    /// The share of the due requests that must be answered in time.
    public static let answeredShare = 0.98
    /// How many times the median of the lowest rate a run's median may be.
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

    /// Whether the server kept up: it answered what was due, and its median has not left that of the lowest rate.
    public func holds(_ step: Step) -> Bool {
        let unloaded = OrderedSample(steps.filter { $0.rate == lowestRate }.map(\.p50Nanoseconds)).median ?? 0
        return step.answeredRate >= step.rate * RateLadder.answeredShare
            && step.p50Nanoseconds <= unloaded * RateLadder.latencyFactor
    }

    /// The knee, with its range: what lies between the two rates has been seen to hold and to fail, or not been tried.
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
