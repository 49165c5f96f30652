/// One server's latencies of one kind, over all blocks.
public struct LatencySummary: Hashable, Codable, Sendable {
    /// A point of the percentile curve, encoded as an array of its two numbers.
    public struct Point: Hashable, Sendable {
        /// The share of samples at or below the latency.
        public var fraction: Double
        /// The latency at this share, in nanoseconds.
        public var nanoseconds: Double
    }

    /// The kind of latency that was measured.
    public var clock: LatencyClock
    /// The number of samples.
    public var count: UInt64
    /// The shortest latency, in nanoseconds; 0 if there are no samples.
    public var minNanoseconds: Double
    /// The mean latency, in nanoseconds; 0 if there are no samples.
    public var meanNanoseconds: Double
    /// The longest latency, in nanoseconds; 0 if there are no samples.
    public var maxNanoseconds: Double
    /// The latencies at the percentiles in `Percentile.reported`.
    public var readings: [PercentileReading]
    /// The percentile curve, up to the last point with at least ten samples above it.
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

    /// Returns the latency at a percentile; `nil` if there are too few samples.
    public func nanoseconds(at percentile: Percentile) -> Double? {
        readings.first { $0.percentile == percentile }?.nanoseconds
    }
}

extension LatencySummary.Point: Codable {
    /// Reads a point from an array of two numbers.
    public init(from decoder: any Decoder) throws {
        let numbers = try SIMD2<Double>(from: decoder)
        self.init(fraction: numbers.x, nanoseconds: numbers.y)
    }

    /// Writes the point as an array of two numbers.
    public func encode(to encoder: any Encoder) throws { try SIMD2(fraction, nanoseconds).encode(to: encoder) }
}

extension LatencyHistogram {
    /// Returns the percentile curve, up to the last point with at least ten samples above it.
    ///
    /// The curve has four points for each halving of the distance to 1.
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
