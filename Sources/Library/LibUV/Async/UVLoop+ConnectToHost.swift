public import SocketAddresses

extension UVLoop {
    /// Resolves a name, connects to the first of its addresses that accepts, and returns a connection that the caller
    /// must close (`uv_getaddrinfo`, `uv_tcp_connect`).
    ///
    /// Addresses of both families are tried as in RFC 8305 ("Happy Eyeballs"); see `connect(toFirstOf:)`.
    ///
    /// - Parameters:
    ///   - host: a name, or an IP address, which is not looked up.
    ///   - port: the port.
    /// - Throws: the error of the resolver, for example `nameNotFound`; the errors of `connect(toFirstOf:)`.
    public nonisolated(nonsending) func connect(
        toHost host: String, port: UInt16
    ) async throws(UVError) -> UVConnection {
        if let address = try? SocketAddress(parsing: host, port: port) { return try await connect(to: address) }
        let resolution = try await resolve(host, service: "\(port)", options: .numericService)
        return try await connect(toFirstOf: resolution.addresses)
    }

    /// Connects to the first of several addresses that accepts, and returns a connection that the caller must close
    /// (`uv_tcp_connect`).
    ///
    /// The attempts begin in the order of the addresses, except that the two families alternate. An attempt begins when
    /// the previous one has failed or `attemptDelay` has passed. Earlier attempts continue meanwhile. The first
    /// connection ends all other attempts.
    ///
    /// - Parameters:
    ///   - addresses: the addresses in order of preference, for example from `resolve`.
    ///   - attemptDelay: the time between the beginnings of two attempts. RFC 8305 recommends 250 ms.
    /// - Throws: if all attempts fail, the error of the last one; `invalidArgument` for an empty array;
    ///   `cancelled` if the task is cancelled, which ends all attempts.
    public nonisolated(nonsending) func connect(
        toFirstOf addresses: [SocketAddress], attemptDelay: Duration = .milliseconds(250)
    ) async throws(UVError) -> UVConnection {
        if addresses.isEmpty { throw UVError(.invalidArgument, operation: "uv_tcp_connect") }
        guard staysHere() else {
            return try await visit("uv_tcp_connect") { () async throws(UVError) in
                try await self.connect(toFirstOf: addresses, attemptDelay: attemptDelay)
            }
        }
        return try await waitFor("uv_tcp_connect") { operation throws(UVError) in
            let race = try ConnectionRace(to: addresses, attemptDelay: attemptDelay, on: self, operation)
            race.begin()
            return { race.cancel() }
        }
    }

    /// Resolves a name, connects, calls `body` with the connection, and closes it when `body` returns or throws.
    ///
    /// - Parameters:
    ///   - host: a name, or an IP address, which is not looked up.
    ///   - port: the port.
    ///   - body: uses the connection. If it returns, all written bytes are sent before the connection is closed
    ///     (`UVConnection.closing`).
    /// - Returns: the value that `body` returns.
    /// - Throws: `UVError` if connecting fails (`connect(toHost:port:)`); otherwise the error that `body` throws.
    public nonisolated(nonsending) func withTCPConnection<Outcome>(
        toHost host: String, port: UInt16, _ body: nonisolated(nonsending) (UVConnection) async throws -> Outcome
    ) async throws -> Outcome {
        let connection = try await connect(toHost: host, port: port)
        return try await connection.closing(body)
    }
}
