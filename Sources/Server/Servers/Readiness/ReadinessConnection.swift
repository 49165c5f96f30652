internal import IncrementProtocol
internal import SystemCalls

/// One client of a readiness server: a row of a table that is indexed by descriptor, eight bytes small.
struct ReadinessConnection {
    /// What the connection is doing; each phase follows the one above it.
    enum Phase: UInt8 {
        /// There is no connection in this row.
        case free
        /// A proxy is to send the header before the client's first byte.
        case awaitingHeader
        /// Bytes are read and answered.
        case serving
        /// The client has ended its side; what is left of the answers is sent, then the connection closes.
        case ending
        /// The server drains: a message that is open is let end, what has come is answered, then this side ends.
        case draining
        /// This side has ended; what still comes is read and dropped until the client ends too.
        case lingering
    }

    var phase = Phase.free
    var machine = ServerMachine()
    /// What the poller waits for.
    var interest: Interest = []
    /// Whether answers wait that the kernel has not taken; the loop keeps them in a table of their own.
    var hasPending = false
    /// What the connection is called in the log.
    var number: UInt32 = 0

    /// What to wait for: reading stops where half of what may be held is held.
    func wanted(pendingCount: Int, limit: Int) -> Interest {
        let mayRead =
            switch phase {
            case .awaitingHeader: true
            case .serving, .draining: pendingCount <= limit / 2
            case .lingering: true
            case .free, .ending: false
            }
        var wanted: Interest = mayRead ? .readable : []
        if pendingCount > 0 { wanted.insert(.writable) }
        return wanted
    }
}
