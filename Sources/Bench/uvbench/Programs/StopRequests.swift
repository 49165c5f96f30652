import Synchronization
import SystemCalls

/// Counts the signals that request a stop.
final class StopRequests: Sendable {
    private let requests = Atomic<Int>(0)

    /// The number of signals so far.
    var count: Int { requests.load(ordering: .relaxed) }

    /// Starts to count SIGINT and SIGTERM, which no longer terminate the program, and ignores SIGPIPE.
    static func handlingSignals() throws(SystemCallError) -> StopRequests {
        StopSignals.ignoreBrokenPipe()
        let stops = StopRequests()
        try StopSignals.handle { stops.requests.add(1, ordering: .relaxed) }
        return stops
    }
}
