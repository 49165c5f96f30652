public import Measurements
internal import SystemCalls

/// The measurements of a load.
///
/// All histograms are allocated before the load starts, so that recording a sample does not allocate.
public struct LoadResult: Sendable {
    /// The plan that the load followed.
    public let plan: LoadPlan

    /// The response times: from the time at which a request was due until its reply was received.
    ///
    /// The first request of each connection is excluded.
    public internal(set) var response = LatencyHistogram()
    /// The service times: from the time at which a request was sent until its reply was received.
    public internal(set) var service = LatencyHistogram()
    /// The wire times: from the time at which the kernel sent a request until the kernel received the reply.
    ///
    /// Empty without kernel timestamps.
    public internal(set) var wire = LatencyHistogram()
    /// The generator lag: the delay between the earliest time at which a request could be sent and the time at which it
    /// was sent.
    ///
    /// Empty except in the open loop.
    public internal(set) var lag = LatencyHistogram()
    /// The response times of the first request of each connection.
    public internal(set) var cold = LatencyHistogram()
    /// The response times of each interval.
    ///
    /// A response time belongs to the interval in which the reply was received. Empty unless the plan keeps intervals.
    public internal(set) var intervals: [LatencyHistogram]

    /// The number of replies to requests of the warm-up.
    public internal(set) var warmUpCount = 0
    /// The number of measured replies.
    public internal(set) var count = 0
    /// The number of late requests.
    ///
    /// A request is late if it was sent more than the plan's `lateness` after the earliest time at which it could be
    /// sent.
    public internal(set) var lateCount = 0
    /// The number of requests that were due while every connection was busy.
    public internal(set) var queuedCount = 0
    /// The number of requests that were due but never sent, because no connection became free.
    public internal(set) var unsentCount = 0
    /// The number of measured replies that have no wire time, because one of the kernel's timestamps is missing.
    public internal(set) var unmatchedCount = 0
    /// The number of measured reply bytes.
    public internal(set) var byteCount = 0
    /// The length of the period in which the measured replies were received.
    public internal(set) var elapsed = Duration.zero
    /// The time at which the measurement began, in seconds since 1970.
    public internal(set) var startSeconds = 0.0
    /// The faults of the server.
    public internal(set) var faults = Faults()
    /// The share of the time for which the load generator was running, from 0 to 1.
    public internal(set) var busyShare: Double?
    /// The share of the time for which the load generator was ready to run but waited for a processor.
    public internal(set) var delayedShare: Double?
    /// Whether the load was stopped before its planned end.
    public internal(set) var isInterrupted = false

    /// The time at which the last measured reply was received.
    private(set) var lastReceived: UInt64 = 0
    // Copies of the plan's properties, so that recording a sample does not change a reference count.
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
        // There is one interval more than the duration needs, for replies that arrive after the end of the
        // traffic.
        let length = plan.duration.map { $0.nanoseconds / intervalLength } ?? 120
        // Each histogram is created separately. Copies would share memory, and the first write to a copy would
        // allocate.
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
        if !intervals.isEmpty { recordInInterval(sample) }
    }

    // If this function were inlined, the compiler would move the array's uniqueness check ahead of the `isEmpty` check
    // and run it for every sample.
    @inline(never)
    private mutating func recordInInterval(_ sample: RequestSample) {
        let index = Int(truncatingIfNeeded: (sample.received &- measuredFrom) / intervalLength)
        intervals[min(index, intervals.count &- 1)].record(nanoseconds: sample.responseTime)
    }

    /// The number of replies per second; 0 if there were no replies.
    public var rate: Double { elapsed > .zero ? Double(count) / (elapsed / .seconds(1)) : 0 }

    /// The number of reply bytes per second; 0 if there were no replies.
    public var byteRate: Double { elapsed > .zero ? Double(byteCount) / (elapsed / .seconds(1)) : 0 }

    /// The share of requests that were sent late, from 0 to 1.
    public var lateShare: Double { count > 0 ? Double(lateCount) / Double(count) : 0 }
}
