internal import Measurements

/// The conclusion from the result of a load.
public enum LoadConclusion: Hashable, Sendable {
    /// Every reply was correct, and every requirement was met.
    case held
    /// There was a fault, or a requirement was not met. Each sentence describes one fault or one unmet requirement.
    case failed([String])
    /// No conclusion about the server is possible. Each sentence states one reason.
    case invalid([String])

    /// Derives the conclusion from a result and the requirements.
    ///
    /// If there are faults, the conclusion is `failed` even if the load generator was the bottleneck.
    public init(of result: LoadResult, requiring requirements: [Requirement]) {
        var failures = LoadConclusion.faults(result)
        let reasons = LoadConclusion.doubts(result) + LoadConclusion.undecided(result, requirements)
        if failures.isEmpty, !reasons.isEmpty {
            self = .invalid(reasons)
            return
        }
        failures += requirements.compactMap { LoadConclusion.missed($0, result) }
        self = failures.isEmpty ? .held : .failed(failures)
    }

    /// The load generator was the bottleneck if more than this share of the requests were late.
    public static let mostLate = 0.01

    /// The load generator was the bottleneck if it spent more than this share of the time running or waiting for a
    /// processor.
    public static let mostBusy = 0.9

    /// The load generator was the bottleneck if it waited for a processor for more than this share of the time.
    public static let mostDelayed = 0.2

    private static func faults(_ result: LoadResult) -> [String] {
        var sentences = result.faults.counts.map { "\($0.count) \($0.name)" }
        if !sentences.isEmpty, let example = result.faults.examples.first { sentences[0] += " (\(example))" }
        if result.unsentCount > 0 {
            sentences.append(
                "\(result.unsentCount) requests were due but never sent, because no connection became free: "
                    + "the server cannot keep up with this rate")
        }
        return sentences
    }

    private static func doubts(_ result: LoadResult) -> [String] {
        var reasons: [String] = []
        if result.plan.isPaced, result.lateShare > mostLate {
            reasons.append(
                "the load generator was the bottleneck: \(result.lateCount) of \(result.count) requests were sent "
                    + "more than \(result.plan.lateness / .microseconds(1)) µs late. Use a lower --rate or a quieter machine"
            )
        }
        let busy = (result.busyShare ?? 0) + (result.delayedShare ?? 0)
        if let delayed = result.delayedShare, !result.plan.isPaced, result.plan.pace != .idle, delayed > mostDelayed {
            reasons.append(
                "the load generator was the bottleneck: it waited for a processor for "
                    + "\(Int((delayed * 100).rounded())) % of the time. Use a quieter machine, or --processor to run the "
                    + "load generator on another processor than the server")
        } else if result.plan.pace == .closed || result.plan.pace == .bulk, busy > mostBusy {
            reasons.append(
                "the load generator was the bottleneck: for \(Int((busy * 100).rounded())) % of the time, it was "
                    + "running or was waiting for a processor. Use fewer connections, or give a --rate")
        }
        if result.count == 0, result.byteCount == 0, result.plan.pace != .idle {
            reasons.append("no reply to a measured request was received. Run for longer, or with a shorter --warm-up")
        }
        return reasons
    }

    private static func undecided(_ result: LoadResult, _ requirements: [Requirement]) -> [String] {
        requirements.compactMap { requirement in
            let (value, doubt) = figure(requirement.subject, of: result)
            return value == nil ? "\(requirement.text) cannot be decided: \(doubt)" : nil
        }
    }

    /// Returns the measured value that a requirement limits.
    ///
    /// If the measured value is unknown, `value` is `nil`, and `doubt` says why.
    private static func figure(_ subject: Requirement.Subject, of result: LoadResult) -> (value: Double?, doubt: String)
    {
        switch subject {
        case .percentile(let measure, let percentile):
            let reading = result.histogram(measure).reading(at: percentile)
            return (reading.nanoseconds, "\(percentile) needs \(reading.needsMore ?? 0) more requests")
        case .longest(let measure): return (result.histogram(measure).max.map { Double($0) }, "no time was measured")
        case .mean(let measure): return (result.histogram(measure).mean, "no time was measured")
        case .rate: return (result.rate, "")
        }
    }

    private static func missed(_ requirement: Requirement, _ result: LoadResult) -> String? {
        let value = figure(requirement.subject, of: result).value
        guard let value, requirement.isLeast ? value <= requirement.limit : value >= requirement.limit else {
            return nil
        }
        let found = requirement.subject == .rate ? "\(Int(value)) per second" : "\(Int(value / 1000)) µs"
        return "\(requirement.text) is not met: the measured value is \(found)"
    }
}

extension LoadResult {
    /// Returns the histogram of the kind of time that a requirement limits.
    func histogram(_ measure: Requirement.Measure) -> LatencyHistogram {
        switch measure {
        case .response: response
        case .service: service
        case .wire: wire
        }
    }
}
