internal import Synchronization

/// The slots and the buffer memory that all connections of a server share, and their numbers.
///
/// Shared by the loops or threads of a server; lock-free.
final class Admission: Sendable {
    /// The most connections that may be open; `nil` for no limit.
    let connectionLimit: Int?
    /// The most reply bytes that may be buffered for all connections; `nil` for no limit.
    let bufferLimit: Int?
    private let open = Atomic<Int>(0)
    private let buffered = Atomic<Int>(0)
    private let numbers = Atomic<UInt32>(0)

    init(_ configuration: ServerConfiguration) {
        connectionLimit = configuration.maxConnections
        bufferLimit = configuration.maxBufferedTotal
    }

    /// The number of acquired slots.
    var openCount: Int { open.load(ordering: .relaxed) }

    /// Acquires a slot.
    ///
    /// - Returns: whether one was free.
    func acquireSlot() -> Bool {
        if open.add(1, ordering: .relaxed).newValue <= connectionLimit ?? .max { return true }
        releaseSlot()
        return false
    }

    /// Releases a slot.
    func releaseSlot() { open.subtract(1, ordering: .relaxed) }

    /// The number of a new connection; the first is 1.
    func nextNumber() -> UInt32 { numbers.wrappingAdd(1, ordering: .relaxed).newValue }

    /// Adds to the buffered bytes, or subtracts from them.
    ///
    /// - Returns: whether the sum is within the limit; an addition that would exceed it is not made.
    func addBuffered(_ difference: Int) -> Bool {
        let total = buffered.wrappingAdd(difference, ordering: .relaxed).newValue
        if difference <= 0 || total <= bufferLimit ?? .max { return true }
        buffered.wrappingSubtract(difference, ordering: .relaxed)
        return false
    }
}
