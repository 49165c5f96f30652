internal import IncrementProtocol

/// A connection of a loop, as the context of its stream.
///
/// The session is copied out and back around each use: an access in place costs a check for overlapping accesses.
// @unchecked Sendable: used on the loop's thread only, as its stream is.
class LoopConnection: @unchecked Sendable {
    /// The connection's number in the log.
    final let number: UInt32
    final var session: ServerSession
    /// Reply bytes that are counted as buffered for this connection.
    final var bufferedByteCount: UInt32 = 0

    init(_ number: UInt32, _ session: ServerSession) {
        self.number = number
        self.session = session
    }

    /// Bytes that have been read and not replied to.
    var receivedByteCount: Int { 0 }
}
