// Functions that always close what they open. The closures that they call may throw any error, so these functions
// cannot declare an error type.

extension UVLoop {
    /// Connects (`uv_tcp_connect`), calls `body` with the connection, and closes it when `body` returns or throws.
    ///
    /// - Parameters:
    ///   - address: the address to connect to.
    ///   - connectingLimit: the time limit for connecting, or `nil` for none; see `connect(to:within:)`.
    ///   - closingLimit: the time limit for sending the remaining bytes after `body` has returned.
    ///   - body: uses the connection. If it returns, all written bytes are sent before the connection is closed
    ///     (`UVConnection.closing`).
    /// - Returns: the value that `body` returns.
    /// - Throws: `UVError` if connecting fails, for example `connectionRefused` or `timedOut`; otherwise the error that
    ///   `body` throws.
    public nonisolated(nonsending) func withTCPConnection<Outcome>(
        to address: SocketAddress, connectingWithin connectingLimit: Duration? = nil,
        closingWithin closingLimit: Duration = .seconds(30),
        _ body: nonisolated(nonsending) (UVConnection) async throws -> Outcome
    ) async throws -> Outcome {
        let connection = try await connect(to: address, within: connectingLimit)
        return try await connection.closing(within: closingLimit, body)
    }

    /// Connects, and returns a connection that the caller must close (`uv_tcp_connect`).
    ///
    /// Callable on any executor.
    ///
    /// - Parameters:
    ///   - address: the address to connect to.
    ///   - limit: the time limit for connecting, or `nil` for none. Without a time limit, the kernel gives up after one
    ///     to two minutes if the address does not reply.
    /// - Throws: the error if connecting fails; `timedOut` if the time limit has passed; `cancelled` if the task is
    ///   cancelled. In each case, the attempt ends and its socket is closed.
    public nonisolated(nonsending) func connect(
        to address: SocketAddress, within limit: Duration? = nil
    ) async throws(UVError) -> UVConnection {
        try await connect(to: address, until: limit.map { UVClock.now + $0 })
    }

    nonisolated(nonsending) func connect(
        to address: SocketAddress, until deadline: UVClock.Instant?
    ) async throws(UVError) -> UVConnection {
        guard staysHere() else {
            return try await visit("uv_tcp_connect") { () async throws(UVError) in
                try await self.connect(to: address, until: deadline)
            }
        }
        let stream = try UVTCPStream(on: self)
        return try await connection(of: stream, "uv_tcp_connect", until: deadline) { completion throws(UVError) in
            try stream.connect(to: address, completion: completion)
        }
    }

    /// Waits until a stream has connected, and closes the stream if it fails to connect.
    private nonisolated(nonsending) func connection(
        of stream: UVStream, _ name: String, until deadline: UVClock.Instant?,
        _ connect: (@escaping (Result<Void, UVError>) -> Void) throws(UVError) -> Void
    ) async throws(UVError) -> UVConnection {
        do throws(UVError) {
            try await waitFor(name, until: deadline) { (operation: PendingOperation<Void>) throws(UVError) in
                try connect { operation.complete($0) }
                return { stream.close() }
            }
            return try UVConnection(stream)
        } catch {
            stream.close()
            throw error
        }
    }

    /// Binds and listens, calls `body` with the incoming connections, and closes the listener when `body` returns or
    /// throws.
    ///
    /// - Parameters:
    ///   - address: the address to listen on. Port 0 picks a free port; see `UVIncomingConnections.localAddress`.
    ///   - backlog: the length of the kernel's queue of pending connections.
    ///   - sharesPort: whether several listeners can share the port (`SO_REUSEPORT`).
    ///   - highWaterMark: the number of queued bytes above which `UVConnection.write` suspends.
    ///   - onError: called on the loop's thread if the kernel cannot accept a connection, for example for lack of
    ///     descriptors. The listener then tries again by itself; see `UVListener`.
    ///   - body: serves the connections, with `serve` or by iterating over them.
    /// - Returns: the value that `body` returns.
    /// - Throws: `UVError` if listening fails, for example `addressInUse`; otherwise the error that `body` throws.
    public nonisolated(nonsending) func withTCPListener<Outcome>(
        on address: SocketAddress, backlog: Int = 511, sharesPort: Bool = false, highWaterMark: Int = 64 * 1024,
        onError: (@Sendable (UVError) -> Void)? = nil,
        _ body: nonisolated(nonsending) (UVIncomingConnections) async throws -> Outcome
    ) async throws -> Outcome {
        try await withListener(
            { () throws(UVError) in
                let listener = try UVTCPListener(on: self)
                return try self.listen(listener, backlog, highWaterMark, onError) { () throws(UVError) in
                    try listener.bind(to: address, sharesPort: sharesPort)
                }
            }, body)
    }

    /// Listens after `prepare` has bound the listener, and closes the listener if either step fails.
    private func listen(
        _ listener: UVListener, _ backlog: Int, _ highWaterMark: Int, _ onError: (@Sendable (UVError) -> Void)?,
        after prepare: () throws(UVError) -> Void
    ) throws(UVError) -> UVIncomingConnections {
        do throws(UVError) {
            try prepare()
            return try UVIncomingConnections(
                of: listener, backlog: backlog, highWaterMark: highWaterMark, onError: onError)
        } catch {
            listener.close()
            throw error
        }
    }

    /// Connects to a Unix domain socket (`uv_pipe_connect`), calls `body` with the connection, and closes it when
    /// `body` returns or throws.
    ///
    /// - Parameters:
    ///   - name: the name to which the listener is bound.
    ///   - closingLimit: the time limit for sending the remaining bytes after `body` has returned.
    ///   - body: uses the connection. If it returns, all written bytes are sent before the connection is closed
    ///     (`UVConnection.closing`).
    /// - Returns: the value that `body` returns.
    /// - Throws: `UVError` if connecting fails, for example `noSuchFile` or `connectionRefused`; otherwise the error
    ///   that `body` throws.
    public nonisolated(nonsending) func withPipeConnection<Outcome>(
        to name: UVPipeName, closingWithin closingLimit: Duration = .seconds(30),
        _ body: nonisolated(nonsending) (UVConnection) async throws -> Outcome
    ) async throws -> Outcome {
        let connection = try await connect(to: name)
        return try await connection.closing(within: closingLimit, body)
    }

    /// Connects to a Unix domain socket, and returns a connection that the caller must close (`uv_pipe_connect`).
    ///
    /// The call needs no time limit, because the kernel connects or fails immediately. If the listener's queue is full,
    /// the call fails with `wouldBlock`. Callable on any executor.
    ///
    /// - Throws: the errors of `UVPipe.connect`; `cancelled` if the task is cancelled, which ends the attempt.
    public nonisolated(nonsending) func connect(to name: UVPipeName) async throws(UVError) -> UVConnection {
        guard staysHere() else {
            return try await visit("uv_pipe_connect") { () async throws(UVError) in try await self.connect(to: name) }
        }
        let stream = try UVPipe(on: self)
        return try await connection(of: stream, "uv_pipe_connect", until: nil) { completion throws(UVError) in
            try stream.connect(to: name, completion: completion)
        }
    }

    /// Binds a Unix domain socket and listens, calls `body` with the incoming connections, and closes the listener when
    /// `body` returns or throws.
    ///
    /// Closing the listener removes its path; see `UVPipeListener`.
    ///
    /// - Parameters:
    ///   - name: the name to listen on. If it is a path, no file must exist there yet.
    ///   - backlog: the length of the kernel's queue of pending connections.
    ///   - allUsers: the permissions to give to all users; see `UVPipeListener.allowAllUsers`.
    ///   - highWaterMark: the number of queued bytes above which `UVConnection.write` suspends.
    ///   - onError: called on the loop's thread if the kernel cannot accept a connection, for example for lack of
    ///     descriptors. The listener then tries again by itself; see `UVListener`.
    ///   - body: serves the connections, with `serve` or by iterating over them.
    /// - Returns: the value that `body` returns.
    /// - Throws: `UVError` if listening fails, for example `addressInUse`; otherwise the error that `body` throws.
    public nonisolated(nonsending) func withPipeListener<Outcome>(
        on name: UVPipeName, backlog: Int = 511, allowingAllUsers allUsers: UVPipeListener.Access = [],
        highWaterMark: Int = 64 * 1024, onError: (@Sendable (UVError) -> Void)? = nil,
        _ body: nonisolated(nonsending) (UVIncomingConnections) async throws -> Outcome
    ) async throws -> Outcome {
        try await withListener(
            { () throws(UVError) in
                let listener = try UVPipeListener(on: self)
                return try self.listen(listener, backlog, highWaterMark, onError) { () throws(UVError) in
                    try listener.bind(to: name)
                    if !allUsers.isEmpty { try listener.allowAllUsers(allUsers) }
                }
            }, body)
    }

    /// Makes a listener on the loop, calls `body` with its connections, and closes the listener.
    private nonisolated(nonsending) func withListener<Outcome>(
        _ listen: @Sendable () throws(UVError) -> UVIncomingConnections,
        _ body: nonisolated(nonsending) (UVIncomingConnections) async throws -> Outcome
    ) async throws -> Outcome {
        let connections: UVIncomingConnections
        if isRunningHere {
            connections = try listen()
        } else {
            connections = try await visit("uv_listen") { () async throws(UVError) in try listen() }
        }
        let outcome: Outcome
        do { outcome = try await body(connections) } catch {
            await close(connections.listener)
            throw error
        }
        await close(connections.listener)
        return outcome
    }

    /// Closes a handle, and suspends until it has closed, even if the task is cancelled.
    ///
    /// Callable on any executor.
    nonisolated(nonsending) func close(_ handle: UVHandle) async {
        guard isRunningHere else {
            // The handle is used only on the loop's thread. `visit` fails only if the loop closes, which also closes
            // the handle.
            nonisolated(unsafe) let handle = handle
            try? await visit("uv_close") { () async throws(UVError) in unsafe await self.close(handle) }
            return
        }
        if handle.isClosed { return }
        let place = UnsafeMutablePointer<ParkedTask>.allocate(capacity: 1)
        unsafe place.initialize(to: ParkedTask())
        // The handle has not closed yet, so the closure is called exactly once, after `close` has returned.
        handle.close { unsafe place.pointee.wake(on: self) }
        _ = unsafe await park(in: place)
        unsafe place.deallocate()
    }
}
