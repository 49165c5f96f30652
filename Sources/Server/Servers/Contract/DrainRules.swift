internal import SystemCalls

/// When a server that drains ends its side of a connection, and when it closes it.
///
/// A client that waits for an answer gets the end in the same segment as the answer: it cannot have sent anything
/// behind its message. One that has been silent for a while gets it when the silence is long enough that nothing is
/// likely to be under way. A message that is open is let end.
enum DrainRules {
    /// How long a client must have sent nothing.
    static let quiet = Duration.milliseconds(50)

    /// How long a client may take, once this side has ended, to end its own: counted anew while bytes of its come.
    static let closeGrace = Duration.milliseconds(250)

    /// How often the connections are looked at.
    static let interval = Duration.milliseconds(10)

    /// Whether this side may end, of a connection with nothing unread, unanswered or unsent.
    static func mayEnd(isInMessage: Bool, _ state: TCPState?) -> Bool {
        if isInMessage { return state?.peerHasShutDown ?? false }
        return (state?.sinceReceived ?? quiet) >= quiet
    }

    /// Whether a connection whose side ended some time ago may be closed.
    static func mayClose(sinceEnd: Duration, _ state: TCPState?) -> Bool {
        min(sinceEnd, state?.sinceReceived ?? sinceEnd) >= closeGrace
    }
}
