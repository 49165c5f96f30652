public import Measurements

/// A load of one server, as `LoadRun` makes it.
public struct LoadPlan: Sendable {
    /// When requests are sent.
    public enum Pace: Hashable, Sendable {
        /// At times that a rate, in requests a second, and a seed decide.
        case open(ArrivalSchedule.Arrivals, rate: Double)
        /// As soon as the answer before has come.
        case closed
        /// Without a pause, and without waiting for answers.
        case bulk
        /// Not at all.
        case idle
    }

    /// Which connections.
    public var connections: LoadConnections
    /// When requests are sent.
    public var pace: Pace
    /// How long requests are sent before they count.
    public var warmUp = Duration.seconds(1)
    /// How long requests that count are sent.
    public var duration: Duration? = .seconds(10)
    /// How many requests that count are sent; with a duration, whichever ends first.
    public var count: Int?
    /// How much later than it could be a request of the open loop may be sent, and not be late.
    public var lateness = Duration.microseconds(500)
    /// Whether the response times of each second are kept apart, for a log.
    public var keepsIntervals = false

    /// Makes a plan; by default ten seconds after a warm-up of one.
    public init(connections: LoadConnections, pace: Pace) {
        self.connections = connections
        self.pace = pace
    }

    /// How long an interval of the log is: a second, or more where they would be too many.
    public var intervalLength: Duration {
        guard let duration else { return .seconds(1) }
        let seconds = duration.components.seconds
        return .seconds(max(1, (seconds + 119) / 120))
    }

    var isPaced: Bool { if case .open = pace { true } else { false } }

    /// What the engine sends.
    var traffic: Traffic {
        get throws(LoadError) {
            switch pace {
            case .closed: return .closed(variant: 0)
            case .bulk: return .bulk(variant: 0)
            case .idle: return .none
            case .open(let arrivals, let rate):
                guard let times = ArrivalSchedule(arrivals, rate: rate, seed: connections.seed),
                    let variants = PairedSchedule(variantCount: 1, seed: 0)
                else {
                    throw LoadError("a rate of \(rate) requests a second is none; give a number above 0, up to 1e9")
                }
                return .paced(SlotSource(times, to: variants))
            }
        }
    }
}
