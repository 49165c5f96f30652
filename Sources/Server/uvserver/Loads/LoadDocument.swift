import LoadGenerator
import Measurements
import Reporting

/// The result of a load as data for programs.
struct LoadDocument {
    private let result: LoadResult
    private let conclusion: LoadConclusion

    init(_ result: LoadResult, _ conclusion: LoadConclusion) {
        self.result = result
        self.conclusion = conclusion
    }

    /// Everything, as JSON; times are nanoseconds.
    var json: JSONText {
        .object([
            ("tool", .text("uvserver load")), ("format", .number(1)), ("plan", plan), ("conclusion", verdict),
            ("requests", .number(Double(result.count))), ("warmUpRequests", .number(Double(result.warmUpCount))),
            ("answerBytes", .number(Double(result.byteCount))),
            ("seconds", .number(result.elapsed / .seconds(1))), ("requestsPerSecond", .number(result.rate)),
            ("answerBytesPerSecond", .number(result.byteRate)), ("startSeconds", .number(result.startSeconds)),
            ("interrupted", .truth(result.isInterrupted)),
            ("lateRequests", .number(Double(result.lateCount))), ("lateShare", .number(result.lateShare)),
            ("queuedRequests", .number(Double(result.queuedCount))),
            ("unsentRequests", .number(Double(result.unsentCount))),
            ("unmatchedWireTimes", .number(Double(result.unmatchedCount))),
            ("generatorBusyShare", .number(result.busyShare)), ("generatorDelayedShare", .number(result.delayedShare)),
            ("faults", faults), ("times", .object(result.times.map { ($0.name, LoadDocument.json(of: $0.histogram)) })),
        ])
    }

    private var plan: JSONText {
        let plan = result.plan
        let connections = plan.connections
        var members: [(String, JSONText)] = [
            ("target", .text(connections.targets.first.map { "\($0)" } ?? "")), ("pace", .text(paceName)),
            ("connections", .number(Double(connections.count))), ("inFlight", .number(Double(connections.depth))),
            ("sizes", .text(connections.sizes.description)),
            ("connectPerRequest", .truth(connections.connectsForEachRequest)),
            ("idle", .number(Double(connections.idleCount))),
            ("slowReaders", .number(Double(connections.slowReaderCount))),
            ("slowWriters", .number(Double(connections.slowWriterCount))),
            ("kernelTimestamps", .truth(connections.takesKernelTimestamps)), ("seed", .text("\(connections.seed)")),
            ("warmUpSeconds", .number(plan.warmUp / .seconds(1))),
            ("lateAfterSeconds", .number(plan.lateness / .seconds(1))),
        ]
        if case .open(let arrivals, let rate) = plan.pace {
            members += [("arrivals", .text(arrivals.rawValue)), ("rate", .number(rate))]
        }
        return .object(members)
    }

    private var paceName: String {
        switch result.plan.pace {
        case .open: "open"
        case .closed: "closed"
        case .bulk: "bulk"
        case .idle: "idle"
        }
    }

    private var verdict: JSONText {
        let (word, sentences): (String, [String]) =
            switch conclusion {
            case .held: ("held", [])
            case .failed(let sentences): ("failed", sentences)
            case .invalid(let sentences): ("invalid", sentences)
            }
        return .object([("verdict", .text(word)), ("reasons", .array(sentences.map { .text($0) }))])
    }

    private var faults: JSONText {
        let faults = result.faults
        return .object([
            ("wrongAnswers", .number(Double(faults.wrongReplies))), ("crossTalk", .number(Double(faults.crossTalk))),
            ("lostAnswers", .number(Double(faults.lostReplies))),
            ("surplusBytes", .number(Double(faults.surplusBytes))),
            ("endedConnections", .number(Double(faults.lostConnections))),
            ("failedConnections", .number(Double(faults.failedConnections))),
            ("abandonedRequests", .number(Double(faults.abandonedRequests))),
            ("examples", .array(faults.examples.map { .text($0) })),
        ])
    }

    private static func json(of histogram: LatencyHistogram) -> JSONText {
        let percentiles = Percentile.reported.map { percentile in
            let value = histogram.reading(at: percentile).nanoseconds
            return (percentile.description, JSONText.number(value.map { Double($0) }))
        }
        return .object(
            [
                ("count", .number(Double(histogram.count))), ("min", .number(histogram.min.map { Double($0) })),
                ("mean", .number(histogram.mean)), ("max", .number(histogram.max.map { Double($0) })),
            ] + percentiles)
    }

    /// The times, as CSV: a line for each percentile of each.
    var csv: String {
        var text = "time,percentile,nanoseconds,count\n"
        for (name, histogram) in result.times where histogram.count > 0 {
            for percentile in Percentile.reported {
                let value = histogram.reading(at: percentile).nanoseconds.map { "\($0)" } ?? ""
                text += "\(name),\(percentile.description.dropFirst()),\(value),\(histogram.count)\n"
            }
            text += "\(name),100,\(histogram.max.map { "\($0)" } ?? ""),\(histogram.count)\n"
        }
        return text
    }
}

/// The response times of a load as a log of HdrHistogram.
enum LoadLog {
    static func text(of result: LoadResult) -> String {
        var log = HistogramLog(
            startSeconds: result.startSeconds,
            comments: ["response times in nanoseconds, seed \(result.plan.connections.seed)"])
        let length = result.plan.intervalLength
        for (index, histogram) in result.intervals.enumerated() where histogram.count > 0 {
            log.append(histogram, start: length * index, length: length)
        }
        return log.text
    }
}
