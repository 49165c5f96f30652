internal import Synchronization

/// Assigns slots and numbers to the connections of a server, and limits the reply bytes buffered for all of them.
///
/// All loops or threads of a server share one admission. The admission takes no lock.
final class Admission: Sendable {
    /// The limit on open connections; `nil` means no limit.
    let connectionLimit: Int?
    /// The limit on reply bytes buffered for all connections; `nil` means no limit.
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
    /// - Returns: whether a slot was free.
    func acquireSlot() -> Bool {
        if open.add(1, ordering: .relaxed).newValue <= connectionLimit ?? .max { return true }
        releaseSlot()
        return false
    }

    /// Releases a slot.
    func releaseSlot() { open.subtract(1, ordering: .relaxed) }

    /// The number of a new connection; the first is 1.
    func nextNumber() -> UInt32 { numbers.wrappingAdd(1, ordering: .relaxed).newValue }

    /// Adds a difference to the number of buffered bytes; the difference may be negative.
    ///
    /// - Returns: `false` if an increase would exceed the limit. In that case, the number does not change.
    func addBuffered(_ difference: Int) -> Bool {
        let total = buffered.wrappingAdd(difference, ordering: .relaxed).newValue
        if difference <= 0 || total <= bufferLimit ?? .max { return true }
        buffered.wrappingSubtract(difference, ordering: .relaxed)
        return false
    }
}
