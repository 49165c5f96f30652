import RealModule

/// The times at which requests are due, in nanoseconds after the start.
///
/// A rate and a seed determine the times.
///
/// The times are absolute, so a request that is sent late does not delay the following requests. The sequence is
/// infinite, and computing it does not allocate.
public struct ArrivalSchedule: Sendable {
    /// The arrival process: the distribution of the intervals between requests.
    public enum Arrivals: String, Hashable, Sendable {
        /// Equal intervals. The first request is due at 0.
        case uniform
        /// A Poisson process. The intervals between requests, and the time until the first request, are exponentially
        /// distributed.
        case poisson
    }

    private let arrivals: Arrivals
    private let interval: Double
    private var count: Double = 0
    private var elapsed: Double = 0
    private var random: SeededRandom

    /// Makes a schedule; `nil` unless the rate is above 0 and at most 10⁹ requests per second.
    ///
    /// - Parameters:
    ///   - arrivals: the distribution of the intervals between requests.
    ///   - rate: the rate, in requests per second.
    ///   - seed: the seed of the Poisson process.
    public init?(_ arrivals: Arrivals, rate: Double, seed: UInt64) {
        guard rate > 0, rate <= 1e9 else { return nil }
        self.arrivals = arrivals
        interval = 1e9 / rate
        random = SeededRandom(seed: seed)
    }

    /// Returns the time at which the next request is due, in nanoseconds after the start.
    public mutating func next() -> UInt64 {
        switch arrivals {
        case .uniform:
            defer { count += 1 }
            return ArrivalSchedule.whole(count * interval)
        case .poisson:
            elapsed -= Double.log(1 - random.nextUnit()) * interval
            return ArrivalSchedule.whole(elapsed)
        }
    }

    private static func whole(_ nanoseconds: Double) -> UInt64 { UInt64(exactly: nanoseconds.rounded()) ?? .max }
}
