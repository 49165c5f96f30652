internal import Measurements
internal import SystemCalls

/// The histograms of a running load.
///
/// They are allocated before it starts: recording a sample allocates nothing.
struct LoadTally {
    private(set) var response = LatencyHistogram()
    private(set) var service = LatencyHistogram()
    private(set) var wire = LatencyHistogram()
    private(set) var lag = LatencyHistogram()
    private(set) var cold = LatencyHistogram()
    private(set) var intervals: [LatencyHistogram]
    private(set) var warmUpCount = 0
    private(set) var lateCount = 0
    private(set) var unmatchedCount = 0
    /// When the last reply that counts was received.
    private(set) var lastReceived: UInt64 = 0

    private let measuredFrom: UInt64
    private let isPaced: Bool
    private let takesTimestamps: Bool
    private let lateness: UInt64
    private let intervalLength: UInt64

    init(_ plan: LoadPlan, measuredFrom: UInt64) {
        self.measuredFrom = measuredFrom
        isPaced = plan.isPaced
        takesTimestamps = plan.connections.takesKernelTimestamps
        lateness = plan.lateness.nanoseconds
        intervalLength = max(1, plan.intervalLength.nanoseconds)
        // One interval more than the duration needs, for replies after its end.
        let length = plan.duration.map { $0.nanoseconds / max(1, plan.intervalLength.nanoseconds) } ?? 120
        // Each is created separately, because copies would share memory and allocate on the first write.
        intervals = plan.keepsIntervals ? (0...length).map { _ in LatencyHistogram() } : []
    }

    /// Requests that count and were replied to, including the first of each connection.
    var count: Int { Int(response.count + cold.count) }

    /// A response time for display, however few requests there are; 0 if there are none.
    func quantile(_ percentile: Percentile?) -> UInt64 { percentile.flatMap { response.quantile(at: $0) } ?? 0 }

    @inline(__always)
    mutating func record(_ sample: RequestSample) {
        guard sample.intended >= measuredFrom else {
            warmUpCount &+= 1
            return
        }
        lastReceived = sample.received
        if sample.isCold { return cold.record(nanoseconds: sample.responseTime) }
        response.record(nanoseconds: sample.responseTime)
        // In a closed loop a request is sent when it is due, so that the response time is the service time.
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
}
