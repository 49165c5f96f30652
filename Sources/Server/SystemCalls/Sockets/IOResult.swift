/// How a read or a write went where it did not fail: to block and to end are results, not errors.
@frozen
public enum IOResult: Hashable, Sendable {
    /// So many bytes were transferred; at least one, but for a write of nothing.
    case bytes(Int)
    /// Nothing can be transferred now: the socket does not block, or its timeout has passed.
    case wouldBlock
    /// The peer has ended its side.
    case end
}
