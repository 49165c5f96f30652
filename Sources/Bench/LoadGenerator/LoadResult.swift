public import Measurements

/// What a load has measured.
public struct LoadResult: Sendable {
    /// What was to be done.
    public let plan: LoadPlan

    /// From when a request was due to its answer, without the first of each connection.
    public internal(set) var response: LatencyHistogram
    /// From when a request was sent to its answer.
    public internal(set) var service: LatencyHistogram
    /// From the kernel's sending of a request to its receiving of the answer; empty where the kernel was not asked.
    public internal(set) var wire: LatencyHistogram
    /// How much later than it could requests were sent; empty but for the open loop.
    public internal(set) var lag: LatencyHistogram
    /// The response times of the first request of each connection.
    public internal(set) var cold: LatencyHistogram
    /// The response times of each interval, by when the answer came; empty where they were not kept.
    public internal(set) var intervals: [LatencyHistogram]

    /// Answers that came before requests counted.
    public internal(set) var warmUpCount = 0
    /// Answers that count.
    public internal(set) var count = 0
    /// Requests that were sent later than they could by more than the plan's lateness.
    public internal(set) var lateCount = 0
    /// Requests that were due while every connection was busy.
    public internal(set) var queuedCount = 0
    /// Requests that were due and were never sent, because no connection became free.
    public internal(set) var unsentCount = 0
    /// Answers that count without a time of the kernel's for them or for their request.
    public internal(set) var unmatchedCount = 0
    /// Bytes of answers that count.
    public internal(set) var byteCount = 0
    /// How long answers that count were coming.
    public internal(set) var elapsed = Duration.zero
    /// When requests began to count, in seconds since 1970.
    public internal(set) var startSeconds = 0.0
    /// What was wrong with the answers.
    public internal(set) var faults = Faults()
    /// The share of the time in which the generator ran, from 0 to 1.
    public internal(set) var busyShare: Double?
    /// The share of the time in which the generator was ready to run, and had no processor.
    public internal(set) var delayedShare: Double?
    /// Whether it was told to stop before its end.
    public internal(set) var isInterrupted = false

    init(_ plan: LoadPlan, _ tally: LoadTally) {
        self.plan = plan
        response = tally.response
        service = plan.isPaced ? tally.service : tally.response
        wire = tally.wire
        lag = tally.lag
        cold = tally.cold
        intervals = tally.intervals
        warmUpCount = tally.warmUpCount
        count = tally.count
        lateCount = tally.lateCount
        unmatchedCount = tally.unmatchedCount
    }

    /// Answers a second; 0 where there were none.
    public var rate: Double { elapsed > .zero ? Double(count) / (elapsed / .seconds(1)) : 0 }

    /// Bytes of answers a second; 0 where there were none.
    public var byteRate: Double { elapsed > .zero ? Double(byteCount) / (elapsed / .seconds(1)) : 0 }

    /// The share of requests that were sent late, from 0 to 1.
    public var lateShare: Double { count > 0 ? Double(lateCount) / Double(count) : 0 }
}
