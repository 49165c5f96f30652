// Scopes that close what they have opened, on every way out. Their bodies may throw what they like, which a typed
// throw cannot say beside UVError.

extension UVLoop {
    /// Connects (`uv_tcp_connect`), calls `body` with the connection, and closes it on every way out.
    ///
    /// - Parameters:
    ///   - address: where to connect to.
    ///   - body: uses the connection; where it returns, what it has written is sent before the close
    ///     (`UVConnection.closing`).
    /// - Returns: what `body` returned.
    /// - Throws: `UVError` where there is no connection, as `connectionRefused`; what `body` threw.
    public nonisolated(nonsending) func withTCPConnection<Outcome>(
        to address: SocketAddress, _ body: nonisolated(nonsending) (UVConnection) async throws -> Outcome
    ) async throws -> Outcome {
        let connection = try await connect(to: address)
        return try await connection.closing(body)
    }

    /// Connects (`uv_tcp_connect`); the connection is the caller's to close.
    ///
    /// - Throws: why there is no connection; `cancelled` where the task is cancelled, which ends the attempt.
    public nonisolated(nonsending) func connect(to address: SocketAddress) async throws(UVError) -> UVConnection {
        checkIsolated()
        let stream = try UVTCPStream(on: self)
        do {
            try await waitFor("uv_tcp_connect") { operation throws(UVError) in
                try stream.connect(to: address) { operation.complete($0) }
                return { stream.close() }
            }
            return try UVConnection(stream)
        } catch {
            stream.close()
            throw error
        }
    }

    /// Binds and listens, calls `body` with the connections that come, and closes the listener on every way out.
    ///
    /// - Parameters:
    ///   - address: where to listen; port 0 takes a free one, see `UVIncomingConnections.localAddress`.
    ///   - backlog: how many clients the kernel lets wait.
    ///   - sharesPort: whether others may listen on the same port (`SO_REUSEPORT`).
    ///   - body: serves the connections, with `serve` or as an async sequence.
    /// - Returns: what `body` returned.
    /// - Throws: `UVError` where nobody can listen there, as `addressInUse`; what `body` threw.
    public nonisolated(nonsending) func withTCPListener<Outcome>(
        on address: SocketAddress, backlog: Int = 511, sharesPort: Bool = false,
        _ body: nonisolated(nonsending) (UVIncomingConnections) async throws -> Outcome
    ) async throws -> Outcome {
        checkIsolated()
        let listener = try UVTCPListener(on: self)
        let outcome: Outcome
        do {
            try listener.bind(to: address, sharesPort: sharesPort)
            outcome = try await body(UVIncomingConnections(of: listener, backlog: backlog))
        } catch {
            await close(listener)
            throw error
        }
        await close(listener)
        return outcome
    }

    /// Closes a handle, and suspends until it has closed; a cancelled task waits too.
    nonisolated(nonsending) func close(_ handle: UVHandle) async {
        if handle.isClosed { return }
        let place = UnsafeMutablePointer<ParkedTask>.allocate(capacity: 1)
        unsafe place.initialize(to: ParkedTask())
        // The handle is open, hence called back later than this, and once.
        handle.close { unsafe place.pointee.wake(on: self) }
        _ = unsafe await park(in: place)
        unsafe place.deallocate()
    }
}
