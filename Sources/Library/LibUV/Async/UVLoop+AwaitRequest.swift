public import SocketAddresses

// The requests of libuv's thread pool, awaited in a task on the loop. Each stands on the function of the same name that
// takes a completion. A task that is cancelled goes on at once: a request that no thread serves yet is cancelled with
// it, and one that is served already comes to its end without anybody, for which the loop's `run` and `close` wait.

extension UVLoop {
    /// Resolves a name to addresses, on a thread of libuv's pool (`uv_getaddrinfo`); to be awaited on the loop.
    ///
    /// - Parameters:
    ///   - node: a host's name or address; `nil` for this machine.
    ///   - service: a service's name or a port in digits; `nil` gives addresses with port 0.
    ///   - family: the only version of the Internet protocol to ask for; `nil` asks for both.
    ///   - socketType: the kind of socket that the addresses are for; `nil` for any.
    ///   - options: how to resolve.
    /// - Returns: at least one address.
    /// - Throws: the resolver's error, as `nameNotFound` or `temporaryNameFailure`; `invalidArgument` as the function
    ///   with a completion; `cancelled` where the task is cancelled or the loop closes.
    nonisolated(nonsending) public func resolve(
        _ node: String?, service: String? = nil, family: SocketAddress.Family? = nil,
        socketType: UVResolution.SocketType? = .stream, options: UVResolution.Options = []
    ) async throws(UVError) -> UVResolution {
        try await waitFor("uv_getaddrinfo") { operation throws(UVError) in
            let request = try resolve(
                node, service: service, family: family, socketType: socketType, options: options
            ) { operation.complete($0) }
            return operation.cancellation(of: request)
        }
    }

    /// Finds the names of an address and its port, on a thread of libuv's pool (`uv_getnameinfo`); to be awaited on
    /// the loop.
    ///
    /// - Parameters:
    ///   - address: the address to name.
    ///   - options: how to name it.
    /// - Throws: the resolver's error; `invalidArgument` for an address with an unknown zone; `cancelled` where the
    ///   task is cancelled or the loop closes.
    nonisolated(nonsending) public func resolveName(
        of address: SocketAddress, options: UVHostName.Options = []
    ) async throws(UVError) -> UVHostName {
        try await waitFor("uv_getnameinfo") { operation throws(UVError) in
            let request = try resolveName(of: address, options: options) { operation.complete($0) }
            return operation.cancellation(of: request)
        }
    }

    /// Random bytes that are fit for cryptography, taken by a thread of libuv's pool (`uv_random`); to be awaited on
    /// the loop.
    ///
    /// - Parameter byteCount: how many, at most 2 GiB less one.
    /// - Throws: `argumentTooLong` for more bytes than that, `invalidArgument` for a negative number; `cancelled` where
    ///   the task is cancelled or the loop closes.
    nonisolated(nonsending) public func random(byteCount: Int) async throws(UVError) -> [UInt8] {
        try await waitFor("uv_random") { operation throws(UVError) in
            let request = try random(byteCount: byteCount) { operation.complete($0) }
            return operation.cancellation(of: request)
        }
    }

    /// Does work on a thread of libuv's pool, and returns its result on the loop (`uv_queue_work`); to be awaited on
    /// the loop.
    ///
    /// The pool belongs to the whole process; see the function with a completion. Work that a thread has begun goes on
    /// when the task is cancelled; its result is dropped.
    ///
    /// - Parameter body: the work. It runs off the loop, and must not touch what is bound to the loop.
    /// - Returns: what `body` returned.
    /// - Throws: what `body` threw; `UVError` with `cancelled` where the task is cancelled or the loop closes. Two
    ///   kinds of error cannot be one typed throw.
    nonisolated(nonsending) public func work<Outcome>(
        _ body: sending @escaping () throws -> sending Outcome
    ) async throws -> sending Outcome {
        let item = WorkItem(body)
        try await waitFor("uv_queue_work") { (operation: PendingOperation<Void>) throws(UVError) in
            let request = try submit(item) { status in
                operation.complete(
                    status < 0 ? .failure(UVError(code: status, operation: "uv_queue_work")) : .success(()))
            }
            return operation.cancellation(of: request)
        }
        return try item.takeResult(0).get()
    }
}
