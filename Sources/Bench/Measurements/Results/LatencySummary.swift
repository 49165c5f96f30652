/// One clock's latencies of one variant, over all blocks.
public struct LatencySummary: Hashable, Codable, Sendable {
    /// A point of the percentile curve; encoded as its two numbers.
    public struct Point: Hashable, Sendable {
        /// The share of samples that are at most this latency.
        public var fraction: Double
        /// The latency.
        public var nanoseconds: Double
    }

    /// The latency that was measured.
    public var clock: LatencyClock
    /// The number of samples.
    public var count: UInt64
    /// The shortest, in nanoseconds; 0 without samples.
    public var minNanoseconds: Double
    /// The mean, in nanoseconds; 0 without samples.
    public var meanNanoseconds: Double
    /// The longest, in nanoseconds; 0 without samples.
    public var maxNanoseconds: Double
    /// The percentiles of `Percentile.reported`.
    public var readings: [PercentileReading]
    /// The curve, up to the last point with at least ten samples above it.
    public var curve: [Point]

    /// Summarizes a histogram.
    public init(_ clock: LatencyClock, _ histogram: LatencyHistogram) {
        self.clock = clock
        count = histogram.count
        minNanoseconds = Double(histogram.min ?? 0)
        meanNanoseconds = histogram.mean ?? 0
        maxNanoseconds = Double(histogram.max ?? 0)
        readings = Percentile.reported.map(histogram.reading)
        curve = histogram.curve()
    }

    /// The latency at a percentile; `nil` if there are too few samples.
    public func nanoseconds(at percentile: Percentile) -> Double? {
        readings.first { $0.percentile == percentile }?.nanoseconds
    }
}

extension LatencySummary.Point: Codable {
    /// Reads the two numbers.
    public init(from decoder: any Decoder) throws {
        let numbers = try SIMD2<Double>(from: decoder)
        self.init(fraction: numbers.x, nanoseconds: numbers.y)
    }

    /// Writes the two numbers.
    public func encode(to encoder: any Encoder) throws { try SIMD2(fraction, nanoseconds).encode(to: encoder) }
}

extension LatencyHistogram {
    /// Returns the percentile curve, up to the last point with ten samples above it: four points in each halving of the
    /// remaining distance to 1.
    public func curve() -> [LatencySummary.Point] {
        var points: [LatencySummary.Point] = []
        var distance = 1.0
        let steps = 4
        while points.count < 60 * steps {
            for step in 0..<steps {
                let fraction = 1 - distance * (1 - Double(step) / Double(2 * steps))
                guard let percentile = Percentile(millionths: Int((fraction * 1_000_000).rounded())),
                    let value = reading(at: percentile).nanoseconds
                else { return points }
                points.append(LatencySummary.Point(fraction: percentile.fraction, nanoseconds: value))
            }
            distance /= 2
        }
        return points
    }
}
