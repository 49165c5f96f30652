import LoadGenerator
import Measurements
import Terminal

/// The result of a load as plain text.
struct LoadText {
    let result: LoadResult
    let conclusion: LoadConclusion

    func lines() -> [String] {
        var lines = [headline, ""]
        if result.response.count > 0 { lines += table() + [""] }
        return lines + remarks()
    }

    private var headline: String {
        let plan = result.plan
        let sizes = "\(plan.connections.sizes) bytes"
        let connections = "\(plan.connections.count) connections"
        switch plan.pace {
        case .bulk:
            return "bulk, \(connections), messages of \(sizes): \(megabytes) MB/s"
        case .idle: return "no requests"
        case .closed:
            return "closed loop, \(connections) with \(plan.connections.depth) in flight, \(sizes): "
                + "\(Int(result.rate)) requests/s"
        case .open(let arrivals, let rate):
            return "open loop, \(LoadText.plain(rate)) requests/s \(arrivals.rawValue), \(connections) with "
                + "\(plan.connections.depth) in flight, \(sizes): \(Int(result.rate)) replies/s"
        }
    }

    private var megabytes: String { DecimalText.fixed(result.byteRate / 1e6, places: 1) }

    private func table() -> [String] {
        var table = TextTable(head: ["µs"] + Percentile.reported.map(\.description) + ["max", "count"])
        for (name, histogram) in result.times where histogram.count > 0 {
            let readings = Percentile.reported.map { percentile in
                histogram.reading(at: percentile).nanoseconds.map(LoadText.digits) ?? "n/a"
            }
            table.append([name] + readings + [LoadText.digits(Double(histogram.max ?? 0)), "\(histogram.count)"])
        }
        var lines = table.lines()
        for percentile in Percentile.reported {
            if let count = result.response.reading(at: percentile).needsMore {
                lines.append("\(percentile) needs \(count) more requests")
                break
            }
        }
        return lines
    }

    private func remarks() -> [String] {
        let plan = result.plan
        var lines = [
            "\(result.count) requests and \(result.byteCount) reply bytes measured, seed \(plan.connections.seed)"
        ]
        if result.warmUpCount > 0 { lines.append("\(result.warmUpCount) warm-up requests not measured") }
        if case .open = plan.pace {
            lines.append(
                "\(result.lateCount) requests were sent more than "
                    + "\(LoadText.microseconds(UInt64(plan.lateness / .nanoseconds(1)))) late "
                    + "(\(DecimalText.fixed(result.lateShare * 100, places: 2)) %)")
        }
        if result.queuedCount > 0 {
            lines.append("\(result.queuedCount) requests were due while every connection was busy")
        }
        if result.unmatchedCount > 0 {
            lines.append(
                "\(result.unmatchedCount) requests have no wire time, because the kernel merged them with others or gave "
                    + "no timestamp")
        }
        if let busy = result.busyShare, let delayed = result.delayedShare {
            lines.append(
                "the load generator ran for \(Int((busy * 100).rounded())) % of the time, and waited for a processor for "
                    + "\(DecimalText.fixed(delayed * 100, places: 1)) %")
        }
        if result.isInterrupted { lines.append("interrupted: the results cover the time before the interruption") }
        if case .held = conclusion { lines.append("every reply was correct") }
        return lines
    }

    /// Returns a time in microseconds, with the unit.
    static func microseconds(_ nanoseconds: UInt64) -> String { "\(digits(Double(nanoseconds))) µs" }

    /// Returns a rate as text.
    ///
    /// A whole number has no `.0`.
    static func plain(_ rate: Double) -> String { Int(exactly: rate).map { "\($0)" } ?? "\(rate)" }

    /// Returns a time in microseconds, with one digit after the point and no unit.
    static func digits(_ nanoseconds: Double) -> String { DecimalText.fixed(nanoseconds / 1000, places: 1) }
}

extension LoadResult {
    /// The histograms of the measured times, with their names.
    var times: [(name: String, histogram: LatencyHistogram)] {
        [
            ("response time", response), ("service time", service), ("wire time", wire), ("generator lag", lag),
            ("first of a connection", cold),
        ]
    }
}
