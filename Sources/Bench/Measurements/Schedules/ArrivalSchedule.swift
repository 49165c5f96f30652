import RealModule

/// The times at which requests are due, in nanoseconds after the start, determined by a rate and a seed.
///
/// The times are absolute: a request that leaves late does not delay the ones after it. The sequence is infinite and does
/// not allocate.
public struct ArrivalSchedule: Sendable {
    /// The distribution of the distances between requests.
    public enum Arrivals: String, Hashable, Sendable {
        /// Equal distances, starting at 0.
        case uniform
        /// A Poisson process: exponentially distributed distances, including the first.
        case poisson
    }

    private let arrivals: Arrivals
    private let interval: Double
    private var count: Double = 0
    private var elapsed: Double = 0
    private var random: SeededRandom

    /// Makes a schedule; `nil` unless the rate is above 0 and at most 10⁹ per second.
    ///
    /// - Parameters:
    ///   - arrivals: the distribution of distances.
    ///   - rate: requests per second.
    ///   - seed: the seed of Poisson arrivals.
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
