import Synchronization

/// Where a server is in its life, for all who ask: it goes on, and never back.
final class ServingState: Sendable {
    /// A part of a server's life.
    enum Phase: Int, Comparable {
        /// It does not listen yet.
        case starting
        /// New clients are welcome.
        case ready
        /// It has been told to stop, and serves whom it has.
        case draining
        /// It serves nobody any more.
        case stopped

        static func < (left: Phase, right: Phase) -> Bool { left.rawValue < right.rawValue }
    }

    private let current = Atomic<Int>(Phase.starting.rawValue)

    /// The phase now.
    var phase: Phase { Phase(rawValue: current.load(ordering: .acquiring)) ?? .stopped }

    /// Goes on to a phase, and stays where it is behind that already.
    ///
    /// Callable from any thread, and in a signal handler: it takes no lock and allocates nothing.
    func advance(to phase: Phase) { current.max(phase.rawValue, ordering: .acquiringAndReleasing) }
}
