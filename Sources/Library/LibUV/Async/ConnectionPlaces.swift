// @unchecked Sendable: used only on the loop's thread.
/// The slots under a limit on connections, and how the connections that occupy them are served.
///
/// One task, which serves the connections, can wait.
final class ConnectionPlaces: @unchecked Sendable {
    private let loop: UVLoop
    private let limit: Int
    private let closingLimit: Duration
    private let body: @Sendable (UVConnection) async throws -> Void
    private var occupied = 0
    private var isFinished = false
    private var isExpired = false
    private var waiter: PendingOperation<Bool>?
    private var served: [(connection: UVConnection, scope: UInt32)] = []

    init(
        _ limit: Int, on loop: UVLoop, closingWithin closingLimit: Duration,
        _ body: @escaping @Sendable (UVConnection) async throws -> Void
    ) {
        self.limit = max(1, limit)
        self.loop = loop
        self.closingLimit = closingLimit
        self.body = body
    }

    /// Serves a connection in the calling task, closes it, and releases its slot.
    ///
    /// The function is like `UVConnection.closing`, but the scope has no cancellation handler. When the server is
    /// cancelled, it calls `cancelWaits`. This saves 300 bytes for each connection.
    nonisolated(nonsending) func serve(_ connection: UVConnection) async {
        let scope = connection.enterScope()
        unsafe connection.state.pointee.serverIndex = UInt32(served.count)
        served.append((connection, scope))
        let hasFailed: Bool
        do {
            try await body(connection)
            hasFailed = false
        } catch { hasFailed = true }
        remove(connection)
        await connection.finish(within: hasFailed ? nil : closingLimit)
        giveBack()
    }

    /// Ends the reads for which the tasks wait.
    ///
    /// The caller has cancelled the tasks.
    func cancelWaits() { for (connection, scope) in served { connection.cancelScope(scope) } }

    private func remove(_ connection: UVConnection) {
        let index = unsafe Int(connection.state.pointee.serverIndex)
        connection.leaveScope(served[index].scope)
        served.swapAt(index, served.count - 1)
        unsafe served[index].connection.state.pointee.serverIndex = UInt32(index)
        served.removeLast()
    }

    /// Acquires a slot, and suspends while no slot is free.
    ///
    /// - Returns: whether a slot was acquired; `false` if `finish` was called or the task was cancelled.
    nonisolated(nonsending) func take() async -> Bool {
        while occupied == limit, !isFinished {
            do { _ = try await loop.waitFor("serve") { operation in wait(operation) } } catch { return false }
        }
        if isFinished { return false }
        occupied += 1
        return true
    }

    /// Suspends until all slots are free.
    ///
    /// - Returns: `false` if `expire` was called or the task was cancelled first.
    nonisolated(nonsending) func waitUntilFree() async -> Bool {
        while occupied > 0, !isExpired {
            do { _ = try await loop.waitFor("serve") { operation in wait(operation) } } catch { return false }
        }
        return occupied == 0
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

    /// Releases a slot.
    func giveBack() {
        occupied -= 1
        wake()
    }

    /// Ends `take`.
    func finish() {
        isFinished = true
        wake()
    }

    /// Ends `waitUntilFree`.
    func expire() {
        isExpired = true
        wake()
    }
}
