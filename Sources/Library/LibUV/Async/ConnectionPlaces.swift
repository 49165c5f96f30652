// @unchecked Sendable: used only on the loop's thread.
/// The free slots under a limit on connections.
///
/// One task at a time can wait for a slot.
final class ConnectionPlaces: @unchecked Sendable {
    private let loop: UVLoop
    private var free: Int
    private var waiter: PendingOperation<Bool>?

    init(_ limit: Int, on loop: UVLoop) {
        free = max(1, limit)
        self.loop = loop
    }

    /// Acquires a slot, and suspends while no slot is free.
    ///
    /// - Returns: whether a slot was acquired; `false` if the task was cancelled.
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

    /// Releases a slot.
    func giveBack() {
        free += 1
        waiter?.complete(.success(true))
        waiter = nil
    }
}
