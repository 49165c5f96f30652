import LoadGenerator
import Measurements
import Reporting

extension LoadResult {
    /// The result as CSV, with one line for each percentile of each kind of time, in nanoseconds.
    var csv: String {
        var text = "time,percentile,nanoseconds,count\n"
        for (name, histogram) in times where histogram.count > 0 {
            for percentile in Percentile.reported {
                let value = histogram.reading(at: percentile).nanoseconds.map { "\(Int($0))" } ?? ""
                text += "\(name),\(percentile.description.dropFirst()),\(value),\(histogram.count)\n"
            }
            text += "\(name),100,\(histogram.max.map { "\($0)" } ?? ""),\(histogram.count)\n"
        }
        return text
    }

    /// The response times of each interval, as an HdrHistogram log (`.hlog`).
    var histogramLog: String {
        var log = HistogramLog(
            startSeconds: startSeconds, comments: ["response times in nanoseconds, seed \(plan.connections.seed)"])
        for (index, histogram) in intervals.enumerated() where histogram.count > 0 {
            log.append(histogram, start: plan.intervalLength * index, length: plan.intervalLength)
        }
        return log.text
    }

    /// Returns the result as JSON.
    ///
    /// Times are in nanoseconds, unless the key states another unit.
    func document(_ conclusion: LoadConclusion) -> JSONObject {
        [
            "tool": "uvbench load", "format": 1, "plan": plan.document, "conclusion": conclusion.document,
            "requests": count, "warmUpRequests": warmUpCount, "replyBytes": byteCount,
            "seconds": elapsed / .seconds(1), "requestsPerSecond": rate, "replyBytesPerSecond": byteRate,
            "startSeconds": startSeconds, "interrupted": isInterrupted, "lateRequests": lateCount,
            "lateShare": lateShare, "queuedRequests": queuedCount, "unsentRequests": unsentCount,
            "unmatchedWireTimes": unmatchedCount, "generatorBusyShare": busyShare,
            "generatorDelayedShare": delayedShare, "faults": faults,
            "times": Dictionary(uniqueKeysWithValues: times.map { ($0.name, $0.histogram.document) }),
        ]
    }
}

extension LatencyHistogram {
    /// The number, the extremes, the mean and the percentiles of the times, by name.
    ///
    /// A percentile with too few samples is `null`.
    fileprivate var document: [String: Double?] {
        var members: [String: Double?] = [
            "count": Double(count), "min": min.map { Double($0) }, "mean": mean, "max": max.map { Double($0) },
        ]
        for percentile in Percentile.reported {
            members[percentile.description] = .some(reading(at: percentile).nanoseconds)
        }
        return members
    }
}

extension LoadPlan {
    fileprivate var document: JSONObject {
        let (pace, arrivals, rate): (String, String?, Double?) =
            switch self.pace {
            case .open(let arrivals, let rate): ("open", arrivals.rawValue, rate)
            case .closed: ("closed", nil, nil)
            case .bulk: ("bulk", nil, nil)
            case .idle: ("idle", nil, nil)
            }
        return [
            "target": connections.targets.first.map { "\($0)" } ?? "", "pace": pace, "arrivals": arrivals, "rate": rate,
            "sizes": connections.sizes.description, "seed": "\(connections.seed)", "connections": connections.count,
            "inFlight": connections.depth, "idle": connections.idleCount, "slowReaders": connections.slowReaderCount,
            "slowWriters": connections.slowWriterCount, "connectPerRequest": connections.connectsForEachRequest,
            "kernelTimestamps": connections.takesKernelTimestamps, "warmUpSeconds": warmUp / .seconds(1),
            "lateAfterSeconds": lateness / .seconds(1),
        ]
    }
}

extension LoadConclusion {
    fileprivate var document: JSONObject {
        switch self {
        case .held: ["verdict": "held", "reasons": [String]()]
        case .failed(let sentences): ["verdict": "failed", "reasons": sentences]
        case .invalid(let reasons): ["verdict": "invalid", "reasons": reasons]
        }
    }
}
