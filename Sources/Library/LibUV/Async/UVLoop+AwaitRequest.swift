public import SocketAddresses

// Requests for libuv's thread pool, for use in tasks. They may be called on any executor, and cost least on the loop.
// Each function uses the function of the same name that takes a completion. A cancelled task continues immediately. Its
// request is cancelled if no thread has begun to serve it. Otherwise the request finishes in the background, and `run`
// and `close` wait for it.

extension UVLoop {
    /// Resolves a name to addresses, on a thread of libuv's pool (`uv_getaddrinfo`).
    ///
    /// Callable on any executor.
    ///
    /// - Parameters:
    ///   - node: a host's name or address, or `nil` for this machine.
    ///   - service: the name of a service, or a port as digits. With `nil`, the addresses have port 0.
    ///   - family: the address family to request, or `nil` for both families.
    ///   - socketType: the type of socket for which to get addresses, or `nil` for any type.
    ///   - options: the options for resolving.
    /// - Returns: at least one address.
    /// - Throws: the resolver's error, for example `nameNotFound` or `temporaryNameFailure`; `invalidArgument` in the
    ///   same cases as the function that takes a completion; `cancelled` if the task is cancelled or the loop closes.
    nonisolated(nonsending) public func resolve(
        _ node: String?, service: String? = nil, family: SocketAddress.Family? = nil,
        socketType: UVAddressInfo.SocketType? = .stream, options: UVAddressInfo.Options = []
    ) async throws(UVError) -> UVAddressInfo {
        guard isRunningHere else {
            return try await visit("uv_getaddrinfo") { () async throws(UVError) in
                try await self.resolve(
                    node, service: service, family: family, socketType: socketType, options: options)
            }
        }
        return try await waitFor("uv_getaddrinfo") { operation throws(UVError) in
            let request = try resolve(
                node, service: service, family: family, socketType: socketType, options: options
            ) { operation.complete($0) }
            return operation.cancellation(of: request)
        }
    }

    /// Resolves an address and its port to names, on a thread of libuv's pool (`uv_getnameinfo`).
    ///
    /// Callable on any executor.
    ///
    /// - Parameters:
    ///   - address: the address to resolve.
    ///   - options: the options for resolving.
    /// - Throws: the resolver's error; `invalidArgument` if the address's zone is unknown; `cancelled` if the task is
    ///   cancelled or the loop closes.
    nonisolated(nonsending) public func resolveName(
        of address: SocketAddress, options: UVHostName.Options = []
    ) async throws(UVError) -> UVHostName {
        guard isRunningHere else {
            return try await visit("uv_getnameinfo") { () async throws(UVError) in
                try await self.resolveName(of: address, options: options)
            }
        }
        return try await waitFor("uv_getnameinfo") { operation throws(UVError) in
            let request = try resolveName(of: address, options: options) { operation.complete($0) }
            return operation.cancellation(of: request)
        }
    }

    /// Returns cryptographically secure random bytes, from a thread of libuv's pool (`uv_random`).
    ///
    /// Callable on any executor.
    ///
    /// - Parameter byteCount: the number of bytes, which must be less than 2 GiB.
    /// - Throws: `argumentTooLong` if the number is too large; `invalidArgument` if it is negative; `cancelled` if the
    ///   task is cancelled or the loop closes.
    nonisolated(nonsending) public func random(byteCount: Int) async throws(UVError) -> [UInt8] {
        guard isRunningHere else {
            return try await visit("uv_random") { () async throws(UVError) in
                try await self.random(byteCount: byteCount)
            }
        }
        return try await waitFor("uv_random") { operation throws(UVError) in
            let request = try random(byteCount: byteCount) { operation.complete($0) }
            return operation.cancellation(of: request)
        }
    }

    /// Runs `body` on a thread of libuv's pool, and returns its result (`uv_queue_work`).
    ///
    /// Callable on any executor.
    ///
    /// The whole process shares the pool; see the function that takes a completion. If the task is cancelled after a
    /// thread has begun the work, the work continues, and its result is dropped.
    ///
    /// - Parameter body: the work. It does not run on the loop's thread, so it must not use objects of the loop.
    /// - Returns: the value that `body` returns.
    /// - Throws: the error that `body` throws; `UVError` with `cancelled` if the task is cancelled or the loop closes.
    ///   The error type is not declared, because a function can declare only one type.
    nonisolated(nonsending) public func work<Outcome>(
        _ body: sending @escaping () throws -> sending Outcome
    ) async throws -> sending Outcome {
        let item = WorkItem(body)
        try await perform(item)
        return try item.takeResult(0).get()
    }

    private nonisolated(nonsending) func perform<Outcome>(_ item: WorkItem<Outcome>) async throws(UVError) {
        guard isRunningHere else {
            return try await visit("uv_queue_work") { () async throws(UVError) in try await self.perform(item) }
        }
        try await waitFor("uv_queue_work") { (operation: PendingOperation<Void>) throws(UVError) in
            let request = try submit(item) { status in
                operation.complete(
                    status < 0 ? .failure(UVError(code: status, operation: "uv_queue_work")) : .success(()))
            }
            return operation.cancellation(of: request)
        }
    }
}
