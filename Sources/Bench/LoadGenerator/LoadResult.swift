public import Measurements
internal import SystemCalls

/// The measurements of a load.
///
/// Its histograms are allocated before the load starts: recording a sample allocates nothing.
public struct LoadResult: Sendable {
    /// The plan of the load.
    public let plan: LoadPlan

    /// The time from when a request was due to its reply, without the first of each connection.
    public internal(set) var response = LatencyHistogram()
    /// The time from when a request was sent to its reply.
    public internal(set) var service = LatencyHistogram()
    /// The time from when the kernel sent a request until it received the reply; empty without kernel timestamps.
    public internal(set) var wire = LatencyHistogram()
    /// The delay from when a request could be sent until it was sent; empty except for the open loop.
    public internal(set) var lag = LatencyHistogram()
    /// The response times of the first request of each connection.
    public internal(set) var cold = LatencyHistogram()
    /// The response times of each interval, by when the reply was received; empty if the plan does not keep them.
    public internal(set) var intervals: [LatencyHistogram]

    /// Replies to requests of the warm-up.
    public internal(set) var warmUpCount = 0
    /// Replies that count.
    public internal(set) var count = 0
    /// Requests that were sent later than possible by more than the plan's lateness.
    public internal(set) var lateCount = 0
    /// Requests that were due while every connection was busy.
    public internal(set) var queuedCount = 0
    /// Requests that were due and never sent, because no connection became free.
    public internal(set) var unsentCount = 0
    /// Measured replies without a wire time, because one of the kernel's times is missing.
    public internal(set) var unmatchedCount = 0
    /// Bytes of replies that count.
    public internal(set) var byteCount = 0
    /// The time in which the measured replies were received.
    public internal(set) var elapsed = Duration.zero
    /// When requests started to count, in seconds since 1970.
    public internal(set) var startSeconds = 0.0
    /// The faults of the replies.
    public internal(set) var faults = Faults()
    /// The share of the time in which the generator ran, from 0 to 1.
    public internal(set) var busyShare: Double?
    /// The share of the time in which the generator was ready to run and waited for a processor.
    public internal(set) var delayedShare: Double?
    /// Whether it was stopped before its end.
    public internal(set) var isInterrupted = false

    /// When the last reply that counts was received.
    private(set) var lastReceived: UInt64 = 0
    // Copied from the plan, so that recording a sample counts no references.
    private let isPaced: Bool
    private let takesTimestamps: Bool
    private let measuredFrom: UInt64
    private let lateness: UInt64
    private let intervalLength: UInt64

    init(_ plan: LoadPlan, measuredFrom: UInt64) {
        self.plan = plan
        isPaced = plan.isPaced
        takesTimestamps = plan.connections.takesKernelTimestamps
        self.measuredFrom = measuredFrom
        lateness = plan.lateness.nanoseconds
        let intervalLength = max(1, plan.intervalLength.nanoseconds)
        self.intervalLength = intervalLength
        // One interval more than the duration needs, for replies after its end.
        let length = plan.duration.map { $0.nanoseconds / intervalLength } ?? 120
        // Each is created separately, because copies would share memory and allocate on the first write.
        intervals = plan.keepsIntervals ? (0...length).map { _ in LatencyHistogram() } : []
    }

    @inline(__always)
    mutating func record(_ sample: RequestSample) {
        guard sample.intended >= measuredFrom else {
            warmUpCount &+= 1
            return
        }
        count &+= 1
        lastReceived = sample.received
        if sample.isCold { return cold.record(nanoseconds: sample.responseTime) }
        response.record(nanoseconds: sample.responseTime)
        if isPaced {
            service.record(nanoseconds: sample.serviceTime)
            lag.record(nanoseconds: sample.lag)
            if sample.lag > lateness { lateCount &+= 1 }
        }
        if takesTimestamps {
            if let time = sample.wireTime { wire.record(nanoseconds: time) } else { unmatchedCount &+= 1 }
        }
        if !intervals.isEmpty {
            let index = Int(truncatingIfNeeded: (sample.received &- measuredFrom) / intervalLength)
            intervals[min(index, intervals.count &- 1)].record(nanoseconds: sample.responseTime)
        }
    }

    /// Replies a second; 0 if there were none.
    public var rate: Double { elapsed > .zero ? Double(count) / (elapsed / .seconds(1)) : 0 }

    /// Bytes of replies a second; 0 if there were none.
    public var byteRate: Double { elapsed > .zero ? Double(byteCount) / (elapsed / .seconds(1)) : 0 }

    /// The share of requests that were sent late, from 0 to 1.
    public var lateShare: Double { count > 0 ? Double(lateCount) / Double(count) : 0 }
}
