internal import Measurements
internal import SystemCalls

/// The histograms of a running load, made beforehand: taking a record allocates nothing.
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
    /// When the last answer that counts came.
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
        // One more than fits, for what comes after the end.
        let length = plan.duration.map { $0.nanoseconds / max(1, plan.intervalLength.nanoseconds) } ?? 120
        // Each is made by itself: copies would share their memory until they are written.
        intervals = plan.keepsIntervals ? (0...length).map { _ in LatencyHistogram() } : []
    }

    /// Requests that count and were answered, those that were the first of their connection included.
    var count: Int { Int(response.count + cold.count) }

    /// A response time for the eye, whatever the number of requests; 0 where there is none.
    func quantile(_ percentile: Percentile?) -> UInt64 { percentile.flatMap { response.quantile(at: $0) } ?? 0 }

    @inline(__always)
    mutating func record(_ slot: SlotRecord) {
        guard slot.intended >= measuredFrom else {
            warmUpCount &+= 1
            return
        }
        lastReceived = slot.received
        if slot.isCold { return cold.record(nanoseconds: slot.responseTime) }
        response.record(nanoseconds: slot.responseTime)
        // In a closed loop a request is sent when it is due: one histogram is both.
        if isPaced {
            service.record(nanoseconds: slot.serviceTime)
            lag.record(nanoseconds: slot.lag)
            if slot.lag > lateness { lateCount &+= 1 }
        }
        if takesTimestamps {
            if let time = slot.wireTime { wire.record(nanoseconds: time) } else { unmatchedCount &+= 1 }
        }
        if !intervals.isEmpty {
            let index = Int(truncatingIfNeeded: (slot.received &- measuredFrom) / intervalLength)
            intervals[min(index, intervals.count &- 1)].record(nanoseconds: slot.responseTime)
        }
    }
}
