internal import Synchronization

/// How many connections may be open at once, over all loops of a server.
final class ConnectionBudget: Sendable {
    /// The most that may be open; `nil` for no bound.
    let limit: Int?
    private let open = Atomic<Int>(0)

    init(limit: Int?) { self.limit = limit }

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
}
