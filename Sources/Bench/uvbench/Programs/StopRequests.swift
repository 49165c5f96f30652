import Synchronization
import SystemCalls

/// Counts the signals that ask the program to stop.
final class StopRequests: Sendable {
    private let requests = Atomic<Int>(0)

    /// The number of signals received so far.
    var count: Int { requests.load(ordering: .relaxed) }

    /// Starts to count SIGINT and SIGTERM signals, and ignores SIGPIPE.
    ///
    /// The counted signals no longer terminate the program.
    static func handlingSignals() throws(SystemCallError) -> StopRequests {
        StopSignals.ignoreBrokenPipe()
        let stops = StopRequests()
        try StopSignals.handle { stops.requests.add(1, ordering: .relaxed) }
        return stops
    }
}
