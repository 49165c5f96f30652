import LoadGenerator
import Measurements

extension LoadResult {
    /// The times as CSV: a line for each percentile of each time, in nanoseconds.
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

    /// The response times of each interval as a log of HdrHistogram (`.hlog`).
    var histogramLog: String {
        var log = HistogramLog(
            startSeconds: startSeconds, comments: ["response times in nanoseconds, seed \(plan.connections.seed)"])
        for (index, histogram) in intervals.enumerated() where histogram.count > 0 {
            log.append(histogram, start: plan.intervalLength * index, length: plan.intervalLength)
        }
        return log.text
    }
}
