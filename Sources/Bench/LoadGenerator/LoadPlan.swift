public import Measurements

/// A load for one server, executed by `LoadRun`.
public struct LoadPlan: Sendable {
    /// The rule that decides when requests are sent.
    public enum Pace: Hashable, Sendable {
        /// The open loop: the seed and the rate determine when requests are due. The rate is in requests per second.
        case open(ArrivalSchedule.Arrivals, rate: Double)
        /// The closed loop: a request is sent as soon as the previous reply has been received.
        case closed
        /// Messages are sent without a pause, and without waiting for replies.
        case bulk
        /// No requests are sent.
        case idle
    }

    /// The connections of the load.
    public var connections: LoadConnections
    /// The rule that decides when requests are sent.
    public var pace: Pace
    /// The duration of the warm-up, whose requests are not measured.
    public var warmUp = Duration.seconds(1)
    /// The duration of the measurement.
    public var duration: Duration? = .seconds(10)
    /// The number of measured requests.
    ///
    /// If a duration is also given, the load ends when this number or the duration is reached, whichever comes first.
    public var count: Int?
    /// Open loop: the delay above which a request counts as late.
    ///
    /// The delay is measured from the earliest time at which the request could be sent until it was sent.
    public var lateness = Duration.microseconds(500)
    /// Whether the result also contains the response times of each interval, for a log.
    public var keepsIntervals = false

    /// Makes a plan that measures for ten seconds after a warm-up of one second.
    public init(connections: LoadConnections, pace: Pace) {
        self.connections = connections
        self.pace = pace
    }

    /// The length of an interval of the log: one second, or longer if the load takes longer than two minutes.
    public var intervalLength: Duration {
        guard let duration else { return .seconds(1) }
        let seconds = duration.components.seconds
        return .seconds(max(1, (seconds + 119) / 120))
    }

    var isPaced: Bool { if case .open = pace { true } else { false } }

    /// The traffic that the engine sends.
    var traffic: Traffic {
        get throws(LoadError) {
            switch pace {
            case .closed: return .closed(target: 0)
            case .bulk: return .bulk(target: 0)
            case .idle: return .none
            case .open(let arrivals, let rate):
                guard let times = ArrivalSchedule(arrivals, rate: rate, seed: connections.seed) else {
                    throw LoadError("the rate must be above 0 and at most 1e9 requests per second (got \(rate))")
                }
                return .paced(ArrivalSource(times))
            }
        }
    }
}
