import Synchronization

/// The phase of a server's life, which only moves forward.
final class ServingState: Sendable {
    /// A phase of a server's life.
    enum Phase: Int, Comparable {
        /// It does not listen yet.
        case starting
        /// It accepts connections.
        case ready
        /// It has been told to stop and serves the connections that it has.
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
    /// Any thread and any signal handler may call it: it takes no lock and allocates no memory.
    func advance(to phase: Phase) { current.max(phase.rawValue, ordering: .acquiringAndReleasing) }
}
