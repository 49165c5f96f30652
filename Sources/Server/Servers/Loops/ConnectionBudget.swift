internal import Synchronization

/// What the connections of all loops of a server may take together, and how they are numbered.
final class ConnectionBudget: Sendable {
    /// The most that may be open; `nil` for no bound.
    let limit: Int?
    /// The most bytes of answers that may wait for all clients together; `nil` for no bound.
    let heldLimit: Int?
    private let open = Atomic<Int>(0)
    private let held = Atomic<Int>(0)
    private let numbers = Atomic<UInt32>(0)

    init(limit: Int?, heldLimit: Int?) {
        self.limit = limit
        self.heldLimit = heldLimit
    }

    /// Counts a connection.
    ///
    /// - Returns: whether it is within the limit; one that is not is not counted.
    func take() -> Bool {
        guard let limit else { return true }
        if open.add(1, ordering: .relaxed).newValue <= limit { return true }
        open.subtract(1, ordering: .relaxed)
        return false
    }

    /// Counts a connection no more that was within the limit.
    func giveBack() {
        if limit != nil { open.subtract(1, ordering: .relaxed) }
    }

    /// The number of a new connection: the first is 1.
    func nextNumber() -> UInt32 { numbers.wrappingAdd(1, ordering: .relaxed).newValue }

    /// Counts bytes that wait, or wait no more.
    ///
    /// - Returns: whether all that wait are within the limit; those that would be beyond it are not counted.
    func hold(_ difference: Int) -> Bool {
        let total = held.wrappingAdd(difference, ordering: .relaxed).newValue
        if difference <= 0 || total <= heldLimit ?? .max { return true }
        held.wrappingSubtract(difference, ordering: .relaxed)
        return false
    }
}
