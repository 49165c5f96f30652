// @unchecked Sendable: every function continues on the loop's thread.
/// The incoming connections of a listener, which are accepted on request.
///
/// While the program does not request connections, at most one connection has been accepted. All others stay in the
/// kernel's backlog. When the backlog is full, clients have to wait to connect.
public final class UVIncomingConnections: AsyncSequence, @unchecked Sendable {
    /// The type of the elements.
    public typealias Element = UVConnection

    /// The type of the errors.
    public typealias Failure = UVError

    /// The loop to which the listener belongs.
    public let loop: UVLoop

    /// The address to which clients connect.
    ///
    /// If port 0 was requested, it contains the port that the kernel chose.
    public let localAddress: SocketAddress

    let listener: UVTCPListener
    private var isWaiting = false
    private var failure: UVError?
    private var waiter: PendingOperation<Bool>?

    /// Starts to listen (`uv_listen`).
    ///
    /// - Parameters:
    ///   - listener: a bound listener that is not listening yet. The caller must close it.
    ///   - backlog: the length of the kernel's queue of pending connections.
    /// - Throws: the error of `uv_listen`, for example `addressInUse`.
    public init(of listener: UVTCPListener, backlog: Int = 511) throws(UVError) {
        self.listener = listener
        loop = listener.loop
        localAddress = try listener.localAddress
        try listener.listen(backlog: backlog) { [unowned self] _, error in happened(error) }
        listener.whenClosed { [self] in wake(.failure(UVError(.cancelled, operation: "uv_accept"))) }
    }

    private func happened(_ error: UVError?) {
        // The listener has closed a connection for which the process had no descriptor. Continue to wait for the next
        // one.
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

    /// Returns the next connection, and suspends while there is none (`uv_accept`).
    ///
    /// The caller must close the connection, for example with `UVConnection.closing`; `serve` closes connections
    /// itself.
    ///
    /// - Returns: the connection, or `nil` if the task is cancelled or the listener is closed.
    /// - Throws: the error of accepting a connection; `busy` if another task is waiting. A lack of descriptors is not
    ///   an error here; see `UVTCPListener.shedConnections`.
    public nonisolated(nonsending) func next() async throws(UVError) -> UVConnection? {
        while true {
            // A task that has waited may continue on another thread.
            guard loop.isRunningHere else { return try await nextElsewhere() }
            if let failure = failure.take() { throw failure }
            if isWaiting { break }
            if Task.isCancelled || listener.isClosing { return nil }
            if waiter != nil { throw UVError(.busy, operation: "uv_accept") }
            do { _ = try await loop.waitFor("uv_accept") { operation in wait(operation) } } catch {
                guard error.is(.cancelled) else { throw error }
                return nil
            }
        }
        isWaiting = false
        return try UVConnection(listener.accept())
    }

    @inline(never)
    private nonisolated(nonsending) func nextElsewhere() async throws(UVError) -> UVConnection? {
        do throws(UVError) {
            return try await loop.visit("uv_accept") { () async throws(UVError) in try await self.next() }
        } catch {
            guard error.is(.cancelled) else { throw error }
            return nil
        }
    }

    private func wait(_ operation: PendingOperation<Bool>) -> (() -> Void)? {
        waiter = operation
        return { [self] in wake(.failure(UVError(.cancelled, operation: "uv_accept"))) }
    }

    /// Iterates over the connections.
    ///
    /// All iterators share one queue of connections.
    public struct AsyncIterator: AsyncIteratorProtocol {
        let connections: UVIncomingConnections

        /// Returns the next connection; see `UVIncomingConnections.next`.
        ///
        /// - Throws: the same errors as `UVIncomingConnections.next`.
        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(UVError) -> UVConnection? { try await connections.next() }
    }

    /// Returns an iterator over the connections.
    public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(connections: self) }
}

extension UVIncomingConnections {
    /// Serves each connection in its own task on the loop, until this task is cancelled or the listener is closed.
    ///
    /// A connection is closed when `body` returns or throws (`UVConnection.closing`). An error of `body` ends only its
    /// own connection, so that a faulty client cannot stop the server.
    ///
    /// - Parameters:
    ///   - limit: the limit on connections that are served at the same time. At the limit, no further connection is
    ///     accepted.
    ///   - body: serves one connection.
    /// - Throws: the error of accepting a connection. The call then cancels the tasks that serve connections, and waits
    ///   for them.
    public nonisolated(nonsending) func serve(
        limit: Int = .max, _ body: @escaping @Sendable (UVConnection) async throws -> Void
    ) async throws(UVError) {
        guard loop.staysHere() else {
            return try await loop.visit("serve") { () async throws(UVError) in
                try await self.serve(limit: limit, body)
            }
        }
        let places = ConnectionPlaces(limit, on: loop)
        try await serve(places, body).get()
    }

    /// The closure refers to `isolation`, which is the actor of the caller, so that it runs on that actor.
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
