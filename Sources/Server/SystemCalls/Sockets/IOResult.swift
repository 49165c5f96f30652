/// The result of a successful read or write.
@frozen
public enum IOResult: Hashable, Sendable {
    /// This many bytes were transferred. The number is 0 only for a write of no bytes.
    case bytes(Int)
    /// No byte could be transferred, because a non-blocking socket was not ready or the timeout of a blocking socket
    /// has passed.
    case wouldBlock
    /// The stream has ended, because the peer has shut down its write side.
    case end
}
