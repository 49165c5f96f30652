/// Where the write buffers of a loop are: every buffer that was ever made and not freed is in one place.
///
/// `made == pooled + held + inFlight` always; once the loop has closed, `inFlight` is zero.
public struct UVBufferLedger: Hashable, Sendable {
    /// Buffers whose memory exists.
    public var made = 0

    /// Buffers in the pool, free to be used.
    public var pooled = 0

    /// Buffers that a write owns: given to libuv, or gathered behind an earlier write, and not yet called back.
    public var inFlight = 0

    /// Buffers in the caller's hands.
    public var held: Int { made - pooled - inFlight }

    /// Makes an empty ledger.
    public init() {}
}
