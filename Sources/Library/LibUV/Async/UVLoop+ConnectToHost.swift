public import SocketAddresses

extension UVLoop {
    /// Resolves a name, connects to the first of its addresses that accepts the connection, and returns a connection
    /// that the caller must close (`uv_getaddrinfo`, `uv_tcp_connect`).
    ///
    /// Addresses of both families are tried as in RFC 8305 ("Happy Eyeballs"); see `connect(toFirstOf:)`.
    ///
    /// - Parameters:
    ///   - host: a host name or an IP address. An IP address needs no name resolution.
    ///   - port: the port.
    ///   - limit: the total time limit for resolving the name and connecting, or `nil` for none. After a timeout, a
    ///     thread of libuv's pool may still be resolving the name. Its result is dropped.
    /// - Throws: the resolver's error, for example `nameNotFound`; `timedOut` if the time limit has passed; otherwise
    ///   the errors of `connect(toFirstOf:)`.
    public nonisolated(nonsending) func connect(
        toHost host: String, port: UInt16, within limit: Duration? = nil
    ) async throws(UVError) -> UVConnection {
        let deadline = limit.map { UVClock.now + $0 }
        if let address = try? SocketAddress(parsing: host, port: port) {
            return try await connect(to: address, until: deadline)
        }
        return try await connect(toName: host, port: port, until: deadline)
    }

    private nonisolated(nonsending) func connect(
        toName name: String, port: UInt16, until deadline: UVClock.Instant?
    ) async throws(UVError) -> UVConnection {
        guard staysHere() else {
            return try await visit("uv_getaddrinfo") { () async throws(UVError) in
                try await self.connect(toName: name, port: port, until: deadline)
            }
        }
        let resolution = try await waitFor("uv_getaddrinfo", until: deadline) {
            (operation: PendingOperation<UVAddressInfo>) throws(UVError) in
            let request = try resolve(name, service: "\(port)", options: .numericService) { operation.complete($0) }
            return operation.cancellation(of: request)
        }
        return try await connect(toFirstOf: resolution.addresses, attemptDelay: .milliseconds(250), until: deadline)
    }

    /// Connects to the first of several addresses that accepts the connection, and returns a connection that the caller
    /// must close (`uv_tcp_connect`).
    ///
    /// The attempts begin in the order of the addresses, except that the two families alternate. The next attempt
    /// begins when an earlier one has failed, or when `attemptDelay` has passed since the last attempt began. Earlier
    /// attempts that have not failed continue while later attempts run. The first attempt that succeeds ends all other
    /// attempts.
    ///
    /// - Parameters:
    ///   - addresses: the addresses in order of preference, for example from `resolve`.
    ///   - attemptDelay: the longest time between the beginnings of two attempts. RFC 8305 recommends 250 ms.
    ///   - limit: the total time limit for all attempts, or `nil` for none.
    /// - Throws: the error of the last attempt if all attempts fail; `invalidArgument` if the array is empty;
    ///   `timedOut` if the time limit has passed; `cancelled` if the task is cancelled. A timeout or a cancellation
    ///   ends all attempts.
    public nonisolated(nonsending) func connect(
        toFirstOf addresses: [SocketAddress], attemptDelay: Duration = .milliseconds(250), within limit: Duration? = nil
    ) async throws(UVError) -> UVConnection {
        try await connect(
            toFirstOf: addresses, attemptDelay: attemptDelay, until: limit.map { UVClock.now + $0 })
    }

    private nonisolated(nonsending) func connect(
        toFirstOf addresses: [SocketAddress], attemptDelay: Duration, until deadline: UVClock.Instant?
    ) async throws(UVError) -> UVConnection {
        if addresses.isEmpty { throw UVError(.invalidArgument, operation: "uv_tcp_connect") }
        guard staysHere() else {
            return try await visit("uv_tcp_connect") { () async throws(UVError) in
                try await self.connect(toFirstOf: addresses, attemptDelay: attemptDelay, until: deadline)
            }
        }
        return try await waitFor("uv_tcp_connect", until: deadline) {
            (operation: PendingOperation<UVConnection>) throws(UVError) in
            let race = try ConnectionRace(to: addresses, attemptDelay: attemptDelay, on: self, operation)
            race.begin()
            return { race.cancel() }
        }
    }

    /// Resolves a name, connects, calls `body` with the connection, and closes it when `body` returns or throws.
    ///
    /// - Parameters:
    ///   - host: a host name or an IP address. An IP address needs no name resolution.
    ///   - port: the port.
    ///   - connectingLimit: the total time limit for resolving the name and connecting, or `nil` for none.
    ///   - closingLimit: the time limit for sending the remaining bytes after `body` has returned.
    ///   - body: uses the connection. If it returns, all written bytes are sent before the connection is closed
    ///     (`UVConnection.closing`).
    /// - Returns: the value that `body` returns.
    /// - Throws: `UVError` if connecting fails (`connect(toHost:port:within:)`); otherwise the error that `body`
    ///   throws.
    public nonisolated(nonsending) func withTCPConnection<Outcome>(
        toHost host: String, port: UInt16, connectingWithin connectingLimit: Duration? = nil,
        closingWithin closingLimit: Duration = .seconds(30),
        _ body: nonisolated(nonsending) (UVConnection) async throws -> Outcome
    ) async throws -> Outcome {
        let connection = try await connect(toHost: host, port: port, within: connectingLimit)
        return try await connection.closing(within: closingLimit, body)
    }
}
