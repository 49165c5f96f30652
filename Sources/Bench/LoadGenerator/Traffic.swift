public import Measurements

/// When requests are sent.
public enum Traffic: Sendable {
    /// At times that are set beforehand, whatever becomes of the requests before: the open loop.
    case paced(SlotSource)
    /// As soon as an answer has come, on every connection to one target: the closed loop.
    case closed(variant: Int)
    /// Without waiting for answers, on every connection to one target that was opened for it.
    case bulk(variant: Int)
    /// Nothing, but what slow connections send and read: the connections stay open.
    case none
}

/// The slots of a paced load: when each is due, and to which target it goes.
public struct SlotSource: Sendable {
    private var arrivals: ArrivalSchedule
    private var variants: PairedSchedule?
    private let variant: Int

    /// Makes the slots.
    ///
    /// - Parameters:
    ///   - arrivals: when they are due.
    ///   - variants: where they go.
    public init(_ arrivals: ArrivalSchedule, to variants: PairedSchedule) {
        self.arrivals = arrivals
        self.variants = variants
        variant = 0
    }

    /// Makes the slots of one target.
    public init(_ arrivals: ArrivalSchedule, toVariant variant: Int) {
        self.arrivals = arrivals
        self.variant = variant
    }

    /// The next slot; its time counts from the start of the load.
    mutating func next() -> (time: UInt64, variant: Int) { (arrivals.next(), variants?.next() ?? variant) }
}

/// When a load begins, and when it is over; times are nanoseconds of the monotonic clock.
public struct TrafficSpan: Sendable {
    /// The time from which slots count.
    public var start: UInt64
    /// The time from which requests count.
    public var measuredFrom: UInt64
    /// The time from which no request is due any more.
    public var end = UInt64.max
    /// How many requests there are from `measuredFrom` on, at most.
    public var count = Int.max

    /// Makes a span without an end.
    public init(start: UInt64, measuredFrom: UInt64) {
        self.start = start
        self.measuredFrom = measuredFrom
    }
}
