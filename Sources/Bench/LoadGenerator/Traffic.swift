public import Measurements
internal import SystemCalls

/// When requests are sent.
public enum Traffic: Sendable {
    /// At times that are decided beforehand, whether or not earlier requests were replied to: the open loop.
    case paced(ArrivalSource)
    /// As soon as a reply has been received, on every connection to one target: the closed loop.
    case closed(target: Int)
    /// Without waiting for replies, on every bulk connection to one target.
    case bulk(target: Int)
    /// Never: only slow and stalled connections send and read.
    case none
}

/// The slots of a paced load: when each request is due, and to which target it is sent.
public struct ArrivalSource: Sendable {
    private var arrivals: ArrivalSchedule
    private var targets: PairedSchedule?

    /// Makes slots whose targets a schedule decides; without one, all are of the first target.
    public init(_ arrivals: ArrivalSchedule, to targets: PairedSchedule? = nil) {
        self.arrivals = arrivals
        self.targets = targets
    }

    /// The next slot; its time is relative to the start of the traffic.
    mutating func next() -> (time: UInt64, target: Int) { (arrivals.next(), targets?.next() ?? 0) }
}

/// When traffic starts and ends; times are nanoseconds of the monotonic clock.
public struct TrafficSpan: Sendable {
    /// The time that slots are relative to.
    public var start: UInt64
    /// The time from which requests count.
    public var measuredFrom: UInt64
    /// The time from which no request is due.
    public var end: UInt64
    /// The most requests from `measuredFrom` on.
    public var count: Int

    /// Makes a span; by default it starts now, counts from its start, and does not end.
    public init(start: UInt64? = nil, measuredFrom: UInt64? = nil, end: UInt64 = .max, count: Int = .max) {
        self.start = start ?? MonotonicTime.nanoseconds()
        self.measuredFrom = measuredFrom ?? self.start
        self.end = end
        self.count = count
    }
}
