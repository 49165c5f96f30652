internal import IncrementProtocol

/// A connection of a loop, as the context of its stream.
// @unchecked Sendable: used on the loop's thread only, as its stream is.
class LoopConnection: @unchecked Sendable {
    /// The connection's number in the log.
    final let number: UInt32
    private(set) final var session: ServerSession
    /// Whether the server measures messages.
    final let measures: Bool
    /// Reply bytes that are counted as buffered for this connection.
    final var bufferedByteCount: UInt32 = 0

    init(_ number: UInt32, _ session: ServerSession, measures: Bool) {
        self.number = number
        self.session = session
        self.measures = measures
    }

    /// Changes a copy of the session and stores it, since a change in place costs a check for overlapping accesses.
    @inline(__always)
    final func update<Outcome>(_ body: (inout ServerSession) -> Outcome) -> Outcome {
        var session = session
        let outcome = body(&session)
        self.session = session
        return outcome
    }

    /// Bytes that have been read and not replied to.
    var receivedByteCount: Int { 0 }
}
