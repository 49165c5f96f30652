/// A log with one histogram per interval of time, in HdrHistogram's log format 1.3 (`.hlog`).
public struct HistogramLog: Sendable {
    /// The text of the log.
    public private(set) var text: String

    /// Begins a log.
    ///
    /// - Parameters:
    ///   - startSeconds: the start of the log, in seconds since 1970. The start of each interval is relative to this
    ///     time.
    ///   - comments: the comment lines at the beginning of the log.
    public init(startSeconds: Double, comments: [String] = []) {
        let start = DecimalText.fixed(startSeconds, places: 3)
        text = "#[Histogram log format version 1.3]\n"
        for line in comments.flatMap({ $0.split(whereSeparator: \.isNewline) }) { text += "#\(line)\n" }
        text += "#[BaseTime: \(start) (seconds since epoch)]\n#[StartTime: \(start) (seconds since epoch)]\n"
        text += "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n"
    }

    /// Appends the histogram of one interval.
    ///
    /// The line also contains the histogram's maximum, in milliseconds.
    ///
    /// - Parameters:
    ///   - histogram: the latencies of the interval.
    ///   - start: the start of the interval, relative to the start of the log.
    ///   - length: the length of the interval.
    ///   - tag: the tag of the histogram. Commas and white space in the tag are replaced with `_`.
    public mutating func append(_ histogram: LatencyHistogram, start: Duration, length: Duration, tag: String? = nil) {
        if let tag {
            text += "Tag=" + String(tag.map { $0.isWhitespace || $0 == "," ? "_" : $0 }) + ","
        }
        let fields = [
            start / .seconds(1), length / .seconds(1), Double(histogram.max ?? 0) / 1_000_000,
        ]
        text += fields.map { DecimalText.fixed($0, places: 3) }.joined(separator: ",")
        text += ",\(HistogramEncoding.base64(histogram))\n"
    }
}
