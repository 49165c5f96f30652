import LoadGenerator
import Measurements
import Synchronization
import SystemCalls

/// The progress of a load as one line on a terminal, written by its own thread.
enum LoadProgressLine {
    /// Runs `body`, and shows its progress in the meantime if standard error is a terminal.
    static func show<Outcome, Failure: Error>(
        _ progress: LoadProgress?, _ body: () throws(Failure) -> Outcome
    ) throws(Failure) -> Outcome {
        guard let progress else { return try body() }
        let ending = Ending()
        let threads = ThreadGroup()
        try? threads.start {
            while !ending.wait(for: .milliseconds(500)) {
                Console.writeError("\r\(text(progress.snapshot))\u{1B}[K")
            }
            Console.writeError("\r\u{1B}[K")
        }
        defer {
            ending.end()
            threads.joinAll()
        }
        return try body()
    }

    static func text(_ snapshot: LoadProgress.Snapshot) -> String {
        let seconds = snapshot.elapsed / .seconds(1)
        guard seconds > 0 else { return "warming up" }
        var parts = ["\(DecimalText.fixed(seconds, places: 1)) s"]
        if snapshot.requestCount > 0 {
            parts.append("\(Int(Double(snapshot.requestCount) / seconds)) requests/s")
            parts.append("p50 \(LoadText.microseconds(snapshot.median))")
            parts.append(snapshot.p99 > 0 ? "p99 \(LoadText.microseconds(snapshot.p99))" : "p99 n/a")
        } else {
            parts.append("\(DecimalText.fixed(Double(snapshot.byteCount) / seconds / 1e6, places: 1)) MB/s")
        }
        return parts.joined(separator: ", ")
    }

    /// Requests the end of the thread.
    private final class Ending: Sendable {
        private let wakeUp: WakeUp?
        private let isOver = Atomic<Bool>(false)

        init() { wakeUp = try? WakeUp() }

        func end() {
            isOver.store(true, ordering: .releasing)
            wakeUp?.signal()
        }

        /// Waits for the end for at most a duration; returns whether the end was requested.
        func wait(for duration: Duration) -> Bool {
            if isOver.load(ordering: .acquiring) { return true }
            _ = wakeUp?.wait(timeout: duration)
            return isOver.load(ordering: .acquiring)
        }
    }
}
