import RealModule

/// When requests are due: times in nanoseconds after the start, decided by a rate and a seed before anything runs.
///
/// The times are absolute: a request that leaves late does not move those after it. They have no end, are made one by
/// one, and nothing is allocated.
public struct ArrivalSchedule: Sendable {
    /// How requests follow each other.
    public enum Arrivals: String, Hashable, Sendable {
        /// At equal distances, the first at 0.
        case uniform
        /// As a Poisson process: at distances that follow the exponential distribution, the first after one of them.
        case poisson
    }

    /// How requests follow each other.
    public let arrivals: Arrivals
    /// Requests per second, on average.
    public let rate: Double

    private let interval: Double
    private var count: Double = 0
    private var elapsed: Double = 0
    private var random: SeededRandom

    /// Makes a schedule; `nil` where the rate is not a number above 0, or beyond 10⁹ per second.
    ///
    /// - Parameters:
    ///   - arrivals: how requests follow each other.
    ///   - rate: requests per second.
    ///   - seed: decides the distances of Poisson arrivals.
    public init?(_ arrivals: Arrivals, rate: Double, seed: UInt64) {
        guard rate > 0, rate <= 1e9 else { return nil }
        self.arrivals = arrivals
        self.rate = rate
        interval = 1e9 / rate
        random = SeededRandom(seed: seed)
    }

    /// The time at which the next request is due, in nanoseconds after the start.
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
