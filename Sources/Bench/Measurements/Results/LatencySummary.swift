/// One clock's latencies of one variant, over all blocks.
public struct LatencySummary: Hashable, Codable, Sendable {
    /// What is told at one percentile: a value, or how many samples are missing.
    public struct Reading: Hashable, Codable, Sendable {
        /// Which percentile.
        public var percentile: Percentile
        /// The latency, where at least ten samples lie above it.
        public var nanoseconds: Double?
        /// How many samples are missing, where there are fewer.
        public var needsMore: UInt64?
    }

    /// A point of the percentile curve; encoded as its two numbers.
    public struct Point: Hashable, Codable, Sendable {
        /// The share of samples at or below the latency.
        public var fraction: Double
        /// The latency.
        public var nanoseconds: Double

        /// Makes a point.
        public init(fraction: Double, nanoseconds: Double) {
            self.fraction = fraction
            self.nanoseconds = nanoseconds
        }

        /// Reads the two numbers.
        public init(from decoder: any Decoder) throws {
            var numbers = try decoder.unkeyedContainer()
            self.init(
                fraction: try numbers.decode(Double.self), nanoseconds: try numbers.decode(Double.self))
        }

        /// Writes the two numbers.
        public func encode(to encoder: any Encoder) throws {
            var numbers = encoder.unkeyedContainer()
            try numbers.encode(fraction)
            try numbers.encode(nanoseconds)
        }
    }

    /// Which latency it is.
    public var clock: LatencyClock
    /// How many samples there were.
    public var count: UInt64
    /// The shortest, in nanoseconds; 0 without samples.
    public var minNanoseconds: Double
    /// The mean, in nanoseconds; 0 without samples.
    public var meanNanoseconds: Double
    /// The longest, in nanoseconds; 0 without samples.
    public var maxNanoseconds: Double
    /// The usual percentiles.
    public var readings: [Reading]
    /// The curve, as far as at least ten samples lie above it.
    public var curve: [Point]

    /// Sums up a histogram.
    public init(_ clock: LatencyClock, _ histogram: LatencyHistogram) {
        self.clock = clock
        count = histogram.count
        minNanoseconds = Double(histogram.min ?? 0)
        meanNanoseconds = histogram.mean ?? 0
        maxNanoseconds = Double(histogram.max ?? 0)
        readings = Percentile.reported.map { percentile in
            switch histogram.reading(at: percentile) {
            case .nanoseconds(let value): Reading(percentile: percentile, nanoseconds: Double(value), needsMore: nil)
            case .needsMore(let count): Reading(percentile: percentile, nanoseconds: nil, needsMore: count)
            }
        }
        curve = histogram.curve()
    }

    /// The latency at a percentile; `nil` where it is not told.
    public func nanoseconds(at percentile: Percentile) -> Double? {
        readings.first { $0.percentile == percentile }?.nanoseconds
    }
}

extension LatencyHistogram {
    /// The percentile curve: each point halves, in as many steps as asked for, the distance that is left to 1, and the
    /// last one still has ten samples above it.
    public func curve(stepsPerHalving: Int = 4) -> [LatencySummary.Point] {
        var points: [LatencySummary.Point] = []
        var distance = 1.0
        let steps = Swift.max(1, stepsPerHalving)
        while points.count < 60 * steps {
            for step in 0..<steps {
                let fraction = 1 - distance * (1 - Double(step) / Double(2 * steps))
                guard let percentile = Percentile(millionths: Int((fraction * 1_000_000).rounded())),
                    let value = reading(at: percentile).nanoseconds
                else { return points }
                points.append(LatencySummary.Point(fraction: percentile.fraction, nanoseconds: Double(value)))
            }
            distance /= 2
        }
        return points
    }
}
