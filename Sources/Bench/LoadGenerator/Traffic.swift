public import Measurements
internal import SystemCalls

/// The rule that decides when requests are sent, and to which targets.
public enum Traffic: Sendable {
    /// The open loop: requests are due at times decided in advance, whether or not earlier requests have replies.
    case paced(ArrivalSource)
    /// The closed loop: every connection to one target sends a request as soon as it has received the previous reply.
    case closed(target: Int)
    /// Every bulk connection to one target sends messages without waiting for replies.
    case bulk(target: Int)
    /// No requests are sent. Only slow and stalled connections send and read.
    case none
}

/// The schedule of an open loop: when each request is due, and to which target it is sent.
public struct ArrivalSource: Sendable {
    private var arrivals: ArrivalSchedule
    private var targets: PairedSchedule?

    /// Makes a schedule from due times and targets.
    ///
    /// If `targets` is `nil`, all requests go to the first target.
    public init(_ arrivals: ArrivalSchedule, to targets: PairedSchedule? = nil) {
        self.arrivals = arrivals
        self.targets = targets
    }

    /// Returns the due time and the target of the next request.
    ///
    /// The time is relative to the start of the traffic.
    mutating func next() -> (time: UInt64, target: Int) { (arrivals.next(), targets?.next() ?? 0) }
}

/// The start and the end of traffic.
///
/// All times are nanoseconds of the monotonic clock.
public struct TrafficSpan: Sendable {
    /// The start of the traffic.
    ///
    /// Due times are relative to this time.
    public var start: UInt64
    /// The time at which the measurement begins.
    ///
    /// Only requests that are due at this time or later are measured.
    public var measuredFrom: UInt64
    /// The end of the traffic.
    ///
    /// Requests that would be due at this time or later are not sent.
    public var end: UInt64
    /// The maximum number of measured requests.
    public var count: Int

    /// Makes a span.
    ///
    /// By default, the traffic and the measurement start now, and the traffic has no end.
    public init(start: UInt64? = nil, measuredFrom: UInt64? = nil, end: UInt64 = .max, count: Int = .max) {
        self.start = start ?? MonotonicTime.nanoseconds()
        self.measuredFrom = measuredFrom ?? self.start
        self.end = end
        self.count = count
    }
}
