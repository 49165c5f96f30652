/// The result of a successful read or write.
@frozen
public enum IOResult: Hashable, Sendable {
    /// This many bytes were transferred: at least one, unless a write had no bytes.
    case bytes(Int)
    /// No byte can be transferred now: the socket is non-blocking, or its timeout has passed.
    case wouldBlock
    /// The end of the stream: the peer has shut down its write side.
    case end
}
