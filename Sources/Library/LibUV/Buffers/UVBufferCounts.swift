/// The numbers of a loop's buffers by state.
///
/// Every buffer that has been made and not freed is in exactly one state.
///
/// At any time, `made == pooled + held + inFlight`. Once the loop has closed, `inFlight` is zero.
public struct UVBufferCounts: Hashable, Sendable {
    /// The number of buffers that have been made and not freed.
    public var made = 0

    /// The number of unused buffers in the pool.
    public var pooled = 0

    /// The number of buffers that belong to pending writes, including writes that are gathered behind an earlier write.
    public var inFlight = 0

    /// The number of buffers that the program owns.
    public var held: Int { made - pooled - inFlight }

    /// Makes counts in which all numbers are zero.
    public init() {}
}

extension UVBufferCounts: CustomStringConvertible {
    /// The four numbers with their names.
    public var description: String {
        "UVBufferCounts(made: \(made), pooled: \(pooled), held: \(held), inFlight: \(inFlight))"
    }
}
