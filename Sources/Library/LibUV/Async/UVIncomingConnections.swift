// @unchecked Sendable: every function checks, in release builds too, that it runs on the loop's thread.
/// The connections that come to a listener, accepted as they are asked for.
///
/// While nobody asks, one connection at most has been accepted and waits; the others stay in the kernel's backlog,
/// and beyond that their clients wait: a server that is busy is not flooded.
public final class UVIncomingConnections: AsyncSequence, @unchecked Sendable {
    /// What the sequence consists of.
    public typealias Element = UVConnection

    /// What ends it early.
    public typealias Failure = UVError

    /// The loop that the listener lives on.
    public let loop: UVLoop

    /// Where clients connect to: the port that was bound where 0 was asked for.
    public let localAddress: SocketAddress

    private let listener: UVTCPListener
    private var isWaiting = false
    private var failure: UVError?
    private var waiter: PendingOperation<Bool>?

    /// Listens (`uv_listen`).
    ///
    /// - Parameters:
    ///   - listener: bound, and not listening yet; closed by the caller.
    ///   - backlog: how many clients the kernel lets wait.
    /// - Throws: `addressInUse` and what else `uv_listen` answers.
    public init(of listener: UVTCPListener, backlog: Int = 511) throws(UVError) {
        self.listener = listener
        loop = listener.loop
        localAddress = try listener.localAddress
        try listener.listen(backlog: backlog) { [unowned self] _, error in happened(error) }
        listener.whenClosed { [self] in wake(.failure(UVError(.cancelled, operation: "uv_accept"))) }
    }

    private func happened(_ error: UVError?) {
        // A client that was shed for want of descriptors is gone, and the next one may be luckier.
        if let error, error.is(.processFileLimit) || error.is(.systemFileLimit) { return }
        failure = error
        isWaiting = error == nil
        wake(.success(true))
    }

    private func wake(_ result: sending Result<Bool, UVError>) {
        let waiter = self.waiter
        self.waiter = nil
        waiter?.complete(result)
    }

    /// The next connection, suspending until a client comes (`uv_accept`).
    ///
    /// The connection is the caller's to close: see `UVConnection.closing`, or `serve`.
    ///
    /// - Returns: `nil` where the task is cancelled or the listener closed.
    /// - Throws: why no connection can be accepted; `busy` where another task is waiting. A lack of descriptors is
    ///   no such reason: see `UVTCPListener.shedConnections`.
    public nonisolated(nonsending) func next() async throws(UVError) -> UVConnection? {
        loop.checkIsolated()
        while !isWaiting {
            if Task.isCancelled || listener.isClosing { return nil }
            if waiter != nil { throw UVError(.busy, operation: "uv_accept") }
            do { _ = try await loop.waitFor("uv_accept") { operation in wait(operation) } } catch {
                guard error.is(.cancelled) else { throw error }
                return nil
            }
            if let failure = failure.take() { throw failure }
        }
        isWaiting = false
        return try UVConnection(listener.accept())
    }

    private func wait(_ operation: PendingOperation<Bool>) -> (() -> Void)? {
        waiter = operation
        return { [self] in wake(.failure(UVError(.cancelled, operation: "uv_accept"))) }
    }

    /// Takes the connections one after another; there is one queue of them, whoever iterates.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let connections: UVIncomingConnections

        /// The next connection; see `UVIncomingConnections.next`.
        ///
        /// - Throws: as `UVIncomingConnections.next`.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(UVError) -> UVConnection? { try await connections.next() }
    }

    /// An iterator over the connections that come from now on.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(connections: self) }
}

extension UVIncomingConnections {
    /// Serves each connection in a task of its own, on the loop, until this task is cancelled or the listener closed.
    ///
    /// A connection is closed on every way out of `body` (`UVConnection.closing`). What `body` throws ends its own
    /// connection and nothing else: a peer's fault is no reason to end a server.
    ///
    /// - Parameters:
    ///   - limit: how many connections at a time; while there are as many, no other is accepted.
    ///   - body: serves one connection.
    /// - Throws: why no connection can be accepted; the tasks that serve are then cancelled and waited for.
    public nonisolated(nonsending) func serve(
        limit: Int = .max, _ body: @escaping @Sendable (UVConnection) async throws -> Void
    ) async throws(UVError) {
        let places = ConnectionPlaces(limit, on: loop)
        try await serve(places, body).get()
    }

    /// The closure mentions `isolation`, the caller's actor, so that it runs on that actor.
    private func serve(
        _ places: ConnectionPlaces, _ body: @escaping @Sendable (UVConnection) async throws -> Void,
        isolation: isolated (any Actor)? = #isolation
    ) async -> Result<Void, UVError> {
        await withDiscardingTaskGroup { group in
            _ = isolation
            do throws(UVError) {
                while await places.take(), let connection = try await next() {
                    group.addTask(executorPreference: loop) {
                        try? await connection.closing { connection in try await body(connection) }
                        places.giveBack()
                    }
                }
                return .success(())
            } catch {
                group.cancelAll()
                return .failure(error)
            }
        }
    }
}
