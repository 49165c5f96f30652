// @unchecked Sendable: used only on the loop's thread.
/// The slots under a limit on the tasks that a call of `serve` runs at the same time.
///
/// Only the task that calls `serve` can wait for slots.
final class Slots: @unchecked Sendable {
    private let loop: UVLoop
    private let limit: Int
    private var occupied = 0
    private var isFinished = false
    private var isExpired = false
    private var waiter: PendingOperation<Bool>?

    init(_ limit: Int, on loop: UVLoop) {
        self.limit = max(1, limit)
        self.loop = loop
    }

    /// Acquires a slot, and suspends while no slot is free.
    ///
    /// - Returns: whether a slot was acquired; `false` if `finish` was called or the task was cancelled.
    nonisolated(nonsending) func acquire() async -> Bool {
        while occupied == limit, !isFinished {
            do { _ = try await loop.waitFor("serve") { operation in wait(operation) } } catch { return false }
        }
        if isFinished { return false }
        occupied += 1
        return true
    }

    /// Releases a slot.
    func release() {
        occupied -= 1
        wake()
    }

    /// Suspends until all slots are free.
    ///
    /// - Returns: `true` if all slots are free; `false` if `expire` was called or the task was cancelled before that.
    nonisolated(nonsending) func waitUntilFree() async -> Bool {
        while occupied > 0, !isExpired {
            do { _ = try await loop.waitFor("serve") { operation in wait(operation) } } catch { return false }
        }
        return occupied == 0
    }

    /// Ends `acquire`.
    func finish() {
        isFinished = true
        wake()
    }

    /// Ends `waitUntilFree`.
    func expire() {
        isExpired = true
        wake()
    }

    private func wait(_ operation: PendingOperation<Bool>) -> (() -> Void)? {
        waiter = operation
        return nil
    }

    private func wake() {
        let waiter = self.waiter
        self.waiter = nil
        waiter?.complete(.success(true))
    }
}
