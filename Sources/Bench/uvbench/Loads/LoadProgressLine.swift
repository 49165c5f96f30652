import LoadGenerator
import Measurements
import SystemCalls

/// Shows the progress of a load as one line on a terminal.
///
/// A separate thread writes the line.
enum LoadProgressLine {
    /// Runs `body`.
    ///
    /// If standard error is a terminal, shows the progress while `body` runs.
    static func show(
        _ progress: Monitor<LoadProgress>?, _ body: () throws(LoadError) -> LoadResult
    ) throws(LoadError) -> LoadResult {
        guard let progress else { return try body() }
        let threads = ThreadGroup()
        try? threads.start {
            while progress.wait(timeout: .milliseconds(500), until: { $0.isOver ? true : nil }) == nil {
                Console.writeProgress("\r\(text(progress.withLock { $0 }))\u{1B}[K")
            }
            Console.writeProgress("\r\u{1B}[K")
        }
        defer {
            progress.withLock { $0.isOver = true }
            progress.notifyAll()
            threads.joinAll()
        }
        return try body()
    }

    static func text(_ progress: LoadProgress) -> String {
        let seconds = progress.elapsed / .seconds(1)
        guard seconds > 0 else { return "warming up" }
        var parts = ["\(DecimalText.fixed(seconds, places: 1)) s"]
        if progress.requestCount > 0 {
            parts.append("\(Int(Double(progress.requestCount) / seconds)) requests/s")
            parts.append("p50 \(LoadText.microseconds(progress.median))")
            parts.append(progress.p99 > 0 ? "p99 \(LoadText.microseconds(progress.p99))" : "p99 n/a")
        } else {
            parts.append("\(DecimalText.fixed(Double(progress.byteCount) / seconds / 1e6, places: 1)) MB/s")
        }
        return parts.joined(separator: ", ")
    }
}
