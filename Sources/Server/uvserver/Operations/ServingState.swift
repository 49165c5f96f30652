import Synchronization

/// The current phase of a server's life.
///
/// A server never returns to an earlier phase.
final class ServingState: Sendable {
    /// A phase of a server's life.
    enum Phase: Int, Comparable {
        /// The server does not listen for connections yet.
        case starting
        /// The server accepts connections.
        case ready
        /// A signal has requested the stop. The server still serves the connections that are open.
        case draining
        /// All connections have closed.
        case stopped

        static func < (left: Phase, right: Phase) -> Bool { left.rawValue < right.rawValue }
    }

    private let current = Atomic<Int>(Phase.starting.rawValue)

    /// The current phase.
    var phase: Phase { Phase(rawValue: current.load(ordering: .acquiring)) ?? .stopped }

    /// Advances to a phase, unless the server has already reached this phase or a later one.
    ///
    /// Any thread and any signal handler may call this function. It takes no lock and allocates no memory.
    func advance(to phase: Phase) { current.max(phase.rawValue, ordering: .acquiringAndReleasing) }
}
