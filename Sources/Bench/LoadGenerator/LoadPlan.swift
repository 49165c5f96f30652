public import Measurements

/// A load of one server, for `LoadRun`.
public struct LoadPlan: Sendable {
    /// When requests are sent.
    public enum Pace: Hashable, Sendable {
        /// At times that the rate, in requests a second, and the seed determine.
        case open(ArrivalSchedule.Arrivals, rate: Double)
        /// As soon as the previous reply has been received.
        case closed
        /// Without a pause, and without waiting for replies.
        case bulk
        /// Never.
        case idle
    }

    /// Which connections.
    public var connections: LoadConnections
    /// When requests are sent.
    public var pace: Pace
    /// The duration of the warm-up, whose requests are not measured.
    public var warmUp = Duration.seconds(1)
    /// The duration of the measurement.
    public var duration: Duration? = .seconds(10)
    /// The number of measured requests.
    ///
    /// If a duration is given too, the load ends at the first of the two limits.
    public var count: Int?
    /// A request of the open loop is late if it is sent this much later than possible.
    public var lateness = Duration.microseconds(500)
    /// Whether the response times of each interval are kept separately, for a log.
    public var keepsIntervals = false

    /// Makes a plan; the default is ten seconds after a warm-up of one second.
    public init(connections: LoadConnections, pace: Pace) {
        self.connections = connections
        self.pace = pace
    }

    /// The length of an interval of the log: one second, or more for a load longer than two minutes.
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
            case .closed: return .closed(target: 0)
            case .bulk: return .bulk(target: 0)
            case .idle: return .none
            case .open(let arrivals, let rate):
                guard let times = ArrivalSchedule(arrivals, rate: rate, seed: connections.seed) else {
                    throw LoadError("the rate must be above 0 and at most 1e9 requests a second (got \(rate))")
                }
                return .paced(ArrivalSource(times))
            }
        }
    }
}
