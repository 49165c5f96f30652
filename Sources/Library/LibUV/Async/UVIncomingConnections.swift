internal import Synchronization

// @unchecked Sendable: every function does its work on the loop's thread.
/// A listener's incoming connections, which are accepted on request.
///
/// Until the program requests a connection, at most one connection is accepted, and all others stay in the kernel's
/// backlog. When the backlog is full, clients have to wait to connect.
public final class UVIncomingConnections: AsyncSequence, @unchecked Sendable {
    /// The type of the elements.
    public typealias Element = UVConnection

    /// The type of the errors.
    public typealias Failure = UVError

    /// The loop to which the listener belongs.
    public let loop: UVLoop

    /// The address to which clients connect.
    ///
    /// If port 0 was requested, this address contains the port that the kernel chose. For a Unix domain socket, which
    /// has no such address, the value is `SocketAddress.any(port: 0)`; see `localName`.
    public let localAddress: SocketAddress

    /// The name to which clients connect, or `nil` if the listener is not a Unix domain socket.
    public let localName: UVPipeName?

    let listener: UVListener
    private let highWaterMark: Int
    private let onError: (@Sendable (UVError) -> Void)?
    private var isWaiting = false
    private var failure: UVError?
    private var waiter: PendingOperation<Bool>?
    /// The connections that `serve` is serving, or `nil` if `serve` is not running.
    private var served: ServedConnections?
    /// The timer of `finish(within:)`, or `nil` if no such time limit is running.
    private var finishTimer: UVTimer?
    private let hasBegunToFinish = Atomic<Bool>(false)

    /// Starts to listen (`uv_listen`).
    ///
    /// - Parameters:
    ///   - listener: a bound `UVTCPListener` or `UVPipeListener` that is not listening yet. The caller must close it.
    ///   - backlog: the length of the kernel's queue of pending connections.
    ///   - highWaterMark: the number of queued bytes above which `write` suspends, for each connection.
    ///   - onError: called on the loop's thread if the kernel cannot accept a connection, for example for lack of
    ///     descriptors. The listener then tries again by itself; see `UVListener`.
    /// - Throws: the error of `uv_listen`, for example `addressInUse`.
    public init(
        of listener: UVListener, backlog: Int = 511, highWaterMark: Int = 64 * 1024,
        onError: (@Sendable (UVError) -> Void)? = nil
    ) throws(UVError) {
        self.listener = listener
        self.highWaterMark = highWaterMark
        self.onError = onError
        loop = listener.loop
        // Call this before reading the address, so that an address in use is reported as an error of `uv_listen`.
        try listener.prepareToListen()
        localAddress = try (listener as? UVTCPListener)?.localAddress ?? .any(port: 0)
        localName = try (listener as? UVPipeListener)?.localName
        try listener.startListening(backlog: backlog) { [unowned self] _, error in happened(error) }
        listener.whenClosed { [self] in wake(.failure(UVError(.cancelled, operation: "uv_accept"))) }
    }

    private func happened(_ error: UVError?) {
        // After a lack of descriptors or memory, the listener tries again by itself, so the task continues to wait.
        if let error, error.code != .badDescriptor, error.code != .invalidArgument {
            onError?(error)
            return
        }
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
    /// - Throws: `busy` if another task is waiting; the error that the kernel reports if the socket is no longer
    ///   listening. A lack of descriptors or memory is not an error here, because the listener tries again by itself;
    ///   see `UVListener`.
    public nonisolated(nonsending) func next() async throws(UVError) -> UVConnection? {
        while true {
            // Check the thread in each iteration, because a task that has waited may continue on another thread.
            guard loop.isRunningHere else { return try await nextElsewhere() }
            // Closing the listener has also closed the connection that was waiting to be accepted.
            if listener.isClosing { return nil }
            if let failure = failure.take() { throw failure }
            if isWaiting { break }
            if Task.isCancelled { return nil }
            if waiter != nil { throw UVError(.busy, operation: "uv_accept") }
            do { _ = try await loop.waitFor("uv_accept") { operation in wait(operation) } } catch {
                guard error.code == .cancelled else { throw error }
                return nil
            }
        }
        isWaiting = false
        return try UVConnection(listener.acceptStream(), highWaterMark: highWaterMark)
    }

    @inline(never)
    private nonisolated(nonsending) func nextElsewhere() async throws(UVError) -> UVConnection? {
        do throws(UVError) {
            return try await loop.visit("uv_accept") { () async throws(UVError) in try await self.next() }
        } catch {
            guard error.code == .cancelled else { throw error }
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
    /// own connection, so that a faulty client cannot stop the server. The error is dropped; catch it in `body` to log
    /// it. `finish` ends the call gracefully.
    ///
    /// - Parameters:
    ///   - limit: the maximum number of connections to serve at the same time. At this number, `serve` requests no more
    ///     connections until a served connection has ended.
    ///   - closingLimit: the time limit for sending the remaining bytes of a connection after `body` has returned. If
    ///     the client has not accepted the bytes by then, the connection is reset, because it would otherwise occupy a
    ///     slot under `limit` forever. The default is shorter than that of `closing`, because all clients share the
    ///     slots.
    ///   - body: serves one connection. It should limit how long it waits for the client, for example with
    ///     `UVLoop.withTimeout`.
    /// - Throws: `busy` immediately if another task is already serving; otherwise the errors of `next`. If `next`
    ///   fails, `serve` first cancels the tasks that serve connections, waits for them, and then throws the error.
    public nonisolated(nonsending) func serve(
        limit: Int = .max, closingWithin closingLimit: Duration = .seconds(5),
        _ body: @escaping @Sendable (UVConnection) async throws -> Void
    ) async throws(UVError) {
        guard loop.staysHere() else {
            return try await loop.visit("serve") { () async throws(UVError) in
                try await self.serve(limit: limit, closingWithin: closingLimit, body)
            }
        }
        if served != nil { throw UVError(.busy, operation: "serve") }
        let connections = ServedConnections(limit, on: loop, closingWithin: closingLimit, body)
        served = connections
        defer {
            served = nil
            finishTimer?.close()
            finishTimer = nil
        }
        try await serve(connections).get()
    }

    /// The closure refers to `isolation`, the caller's actor, so that the closure runs on that actor.
    private func serve(
        _ connections: ServedConnections, isolation: isolated (any Actor)? = #isolation
    ) async -> Result<Void, UVError> {
        await withDiscardingTaskGroup { group in
            _ = isolation
            func cancel() {
                group.cancelAll()
                connections.cancelWaits()
            }
            do throws(UVError) {
                while await connections.slots.acquire() {
                    guard let connection = try await next() else {
                        connections.slots.release()
                        break
                    }
                    group.addTask(executorPreference: loop) { await connections.serve(connection) }
                }
                if await !connections.slots.waitUntilFree() { cancel() }
                return .success(())
            } catch {
                cancel()
                return .failure(error)
            }
        }
    }
}

extension UVIncomingConnections {
    /// Whether `finish` has been called.
    ///
    /// The closure that serves a connection should check this property between two requests, and return if it is
    /// `true`. A change of the property does not wake a closure that is waiting for its client. Callable from any
    /// thread.
    public var isFinishing: Bool { hasBegunToFinish.load(ordering: .relaxed) }

    /// Stops accepting connections, and lets `serve` return when all connections that it serves have ended.
    ///
    /// The listener closes: new clients are refused, and the kernel resets connections that have not been accepted yet.
    /// The sequence ends. `isFinishing` becomes `true`, so that the closures that serve connections can return.
    /// Callable from any thread.
    ///
    /// - Parameter limit: the time after which `serve` cancels the tasks that still serve connections. The cancellation
    ///   closes the connections immediately, and `serve` returns normally. With `nil`, which must be passed explicitly,
    ///   `serve` waits without a time limit. A later call replaces the time limit, and the new limit counts from that
    ///   call.
    public func finish(within limit: Duration? = .seconds(30)) {
        hasBegunToFinish.store(true, ordering: .relaxed)
        if loop.isRunningHere { return beginFinish(within: limit) }
        // If the loop rejects this call, the loop is closing, which closes the listener and cancels everything.
        try? loop.execute { self.beginFinish(within: limit) }
    }

    private func beginFinish(within limit: Duration?) {
        listener.close()
        served?.slots.finish()
        finishTimer?.close()
        finishTimer = nil
        guard let limit, let served else { return }
        do throws(UVError) {
            let timer = try UVTimer(on: loop)
            finishTimer = timer
            try timer.start(after: limit) { _ in served.slots.expire() }
        } catch { served.slots.expire() }
    }
}
