// @unchecked Sendable: used on the loop's thread only.
/// How many connections may still be served at a time; one task waits for a place.
final class ConnectionPlaces: @unchecked Sendable {
    private let loop: UVLoop
    private var free: Int
    private var waiter: PendingOperation<Bool>?

    init(_ limit: Int, on loop: UVLoop) {
        free = max(1, limit)
        self.loop = loop
    }

    /// Takes a place, suspending while there is none.
    ///
    /// - Returns: whether there is one; false where the task is cancelled.
    nonisolated(nonsending) func take() async -> Bool {
        while free == 0 {
            do { _ = try await loop.waitFor("serve") { operation in wait(operation) } } catch { return false }
        }
        free -= 1
        return true
    }

    private func wait(_ operation: PendingOperation<Bool>) -> (() -> Void)? {
        waiter = operation
        return nil
    }

    /// Gives a place back.
    func giveBack() {
        free += 1
        waiter?.complete(.success(true))
        waiter = nil
    }
}
