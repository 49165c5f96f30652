import Synchronization

/// The phase of a server's life, which only advances.
final class ServingState: Sendable {
    /// A phase of a server's life.
    enum Phase: Int, Comparable {
        /// The server does not listen yet.
        case starting
        /// The server accepts connections.
        case ready
        /// A signal has requested the stop, and the server serves the connections that are open.
        case draining
        /// All connections have closed.
        case stopped

        static func < (left: Phase, right: Phase) -> Bool { left.rawValue < right.rawValue }
    }

    private let current = Atomic<Int>(Phase.starting.rawValue)

    /// The current phase.
    var phase: Phase { Phase(rawValue: current.load(ordering: .acquiring)) ?? .stopped }

    /// Advances to a phase, unless a later one has been reached.
    ///
    /// Any thread or signal handler may call this function: it takes no lock and allocates no memory.
    func advance(to phase: Phase) { current.max(phase.rawValue, ordering: .acquiringAndReleasing) }
}
