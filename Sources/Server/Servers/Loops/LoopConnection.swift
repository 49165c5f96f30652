internal import IncrementProtocol

/// The state of a connection on a loop, stored as the context of its stream.
// @unchecked Sendable: like the stream, it is used only on the loop's thread.
class LoopConnection: @unchecked Sendable {
    /// The connection's number in the log.
    final let number: UInt32
    private(set) final var session: ServerSession
    /// Whether the server measures messages.
    final let measures: Bool
    /// The number of reply bytes that count as buffered for this connection.
    final var bufferedByteCount: UInt32 = 0

    init(_ number: UInt32, _ session: ServerSession, measures: Bool) {
        self.number = number
        self.session = session
        self.measures = measures
    }

    /// Changes a copy of the session and stores the copy, because a change in place would cost an exclusivity check.
    @inline(__always)
    final func update<Outcome>(_ body: (inout ServerSession) -> Outcome) -> Outcome {
        var session = session
        let outcome = body(&session)
        self.session = session
        return outcome
    }

    /// The number of bytes that were read but have no reply yet.
    var receivedByteCount: Int { 0 }
}
