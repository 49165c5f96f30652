import LoadGenerator
import Measurements

/// The result of a load as JSON; times are in nanoseconds unless the key says otherwise.
struct LoadDocument: Encodable {
    private let tool = "uvbench load"
    private let format = 1
    private let plan: Plan
    private let conclusion: Conclusion
    private let requests, warmUpRequests: Int
    private let replyBytes: Int
    private let seconds, requestsPerSecond, replyBytesPerSecond, startSeconds: Double
    private let interrupted: Bool
    private let lateRequests: Int
    private let lateShare: Double
    private let queuedRequests, unsentRequests, unmatchedWireTimes: Int
    private let generatorBusyShare, generatorDelayedShare: Double?
    private let faults: FaultCounts
    private let times: [String: [String: Double?]]

    init(_ result: LoadResult, _ conclusion: LoadConclusion) {
        plan = Plan(result.plan)
        self.conclusion = Conclusion(conclusion)
        requests = result.count
        warmUpRequests = result.warmUpCount
        replyBytes = result.byteCount
        seconds = result.elapsed / .seconds(1)
        requestsPerSecond = result.rate
        replyBytesPerSecond = result.byteRate
        startSeconds = result.startSeconds
        interrupted = result.isInterrupted
        lateRequests = result.lateCount
        lateShare = result.lateShare
        queuedRequests = result.queuedCount
        unsentRequests = result.unsentCount
        unmatchedWireTimes = result.unmatchedCount
        generatorBusyShare = result.busyShare
        generatorDelayedShare = result.delayedShare
        faults = FaultCounts(result.faults)
        times = Dictionary(uniqueKeysWithValues: result.times.map { ($0.name, LoadDocument.percentiles($0.histogram)) })
    }

    /// The histogram's percentiles by name; `null` for those with too few samples.
    private static func percentiles(_ histogram: LatencyHistogram) -> [String: Double?] {
        var members: [String: Double?] = [
            "count": Double(histogram.count), "min": histogram.min.map { Double($0) }, "mean": histogram.mean,
            "max": histogram.max.map { Double($0) },
        ]
        for percentile in Percentile.reported {
            members[percentile.description] = .some(histogram.reading(at: percentile).nanoseconds.map { Double($0) })
        }
        return members
    }

    private struct Plan: Encodable {
        let target, pace, sizes, seed: String
        let connections, inFlight, idle, slowReaders, slowWriters: Int
        let connectPerRequest, kernelTimestamps: Bool
        let warmUpSeconds, lateAfterSeconds: Double
        var arrivals: String?
        var rate: Double?

        init(_ plan: LoadPlan) {
            let all = plan.connections
            target = all.targets.first.map { "\($0)" } ?? ""
            sizes = all.sizes.description
            seed = "\(all.seed)"
            connections = all.count
            inFlight = all.depth
            idle = all.idleCount
            slowReaders = all.slowReaderCount
            slowWriters = all.slowWriterCount
            connectPerRequest = all.connectsForEachRequest
            kernelTimestamps = all.takesKernelTimestamps
            warmUpSeconds = plan.warmUp / .seconds(1)
            lateAfterSeconds = plan.lateness / .seconds(1)
            switch plan.pace {
            case .open(let arrivals, let rate): (pace, self.arrivals, self.rate) = ("open", arrivals.rawValue, rate)
            case .closed: pace = "closed"
            case .bulk: pace = "bulk"
            case .idle: pace = "idle"
            }
        }
    }

    private struct Conclusion: Encodable {
        let verdict: String
        let reasons: [String]

        init(_ conclusion: LoadConclusion) {
            switch conclusion {
            case .held: (verdict, reasons) = ("held", [])
            case .failed(let sentences): (verdict, reasons) = ("failed", sentences)
            case .invalid(let sentences): (verdict, reasons) = ("invalid", sentences)
            }
        }
    }

    private struct FaultCounts: Encodable {
        let wrongReplies, crossTalk, lostReplies, surplusBytes: Int
        let lostConnections, failedConnections, abandonedRequests: Int
        let examples: [String]

        init(_ faults: Faults) {
            wrongReplies = faults.wrongReplies
            crossTalk = faults.crossTalk
            lostReplies = faults.lostReplies
            surplusBytes = faults.surplusBytes
            lostConnections = faults.lostConnections
            failedConnections = faults.failedConnections
            abandonedRequests = faults.abandonedRequests
            examples = faults.examples
        }
    }
}
