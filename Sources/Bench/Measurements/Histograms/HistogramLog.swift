/// A log of histograms, one for each interval of time, in HdrHistogram's log format 1.3 (`.hlog`).
///
/// Text only: whoever made the log writes it to a file. HdrHistogram's own tools read it.
public struct HistogramLog: Sendable {
    /// The log as it stands.
    public private(set) var text: String

    /// Begins a log.
    ///
    /// - Parameters:
    ///   - startSeconds: when the log begins, in seconds since 1970; the intervals count from then.
    ///   - comments: what to say first; line breaks begin a new comment.
    public init(startSeconds: Double, comments: [String] = []) {
        let start = DecimalText.fixed(startSeconds, places: 3)
        text = "#[Histogram log format version 1.3]\n"
        for line in comments.flatMap({ $0.split(whereSeparator: \.isNewline) }) { text += "#\(line)\n" }
        text += "#[BaseTime: \(start) (seconds since epoch)]\n#[StartTime: \(start) (seconds since epoch)]\n"
        text += "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n"
    }

    /// Appends the histogram of an interval; its longest latency is written in milliseconds beside it.
    ///
    /// - Parameters:
    ///   - histogram: what was recorded in the interval.
    ///   - start: when the interval begins, after the start of the log.
    ///   - length: how long it is.
    ///   - tag: whose histogram it is; characters that a tag must not hold (comma, space, line breaks) become `_`.
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
