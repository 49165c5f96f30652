extension UVDatagramSocket {
    /// Serves each datagram in its own task on the loop, until this task is cancelled or the socket is closed.
    ///
    /// An error of `body` ends only its own task, so that a faulty datagram cannot stop the server. The error is
    /// dropped; catch it in `body` to log it. An error that the socket has reported, for example `connectionRefused`
    /// for an earlier reply, does not end the call, and is dropped too.
    ///
    /// When the socket is closed, the call waits until the tasks have ended. When this task is cancelled, the call also
    /// cancels the tasks, waits for them, and returns normally. Datagrams that no task has taken stay in the socket.
    ///
    /// Callable on any executor. `body` always runs on the loop.
    ///
    /// ```swift
    /// try await socket.serve(limit: 1000) { datagram in
    ///     let sender = datagram.sender
    ///     try await socket.send(datagram.buffer, to: sender)
    /// }
    /// ```
    ///
    /// - Parameters:
    ///   - limit: the maximum number of datagrams to serve at the same time, at least 1. At this number, `serve` takes
    ///     no more datagrams until a task has ended. Until then, the socket receives up to its `receiveLimit`, and
    ///     later datagrams stay in the kernel, which drops those that do not fit into its buffer.
    ///   - body: serves one datagram, which it owns. It should limit how long it waits, for example with
    ///     `UVLoop.withTimeout`.
    /// - Throws: `busy` immediately if another task is already serving; otherwise the error if receiving fails, for
    ///   example `busy` if another task is receiving, or the error if the socket cannot be bound. If receiving fails,
    ///   the call first cancels the tasks that serve datagrams and waits for them.
    public nonisolated(nonsending) func serve(
        limit: Int, _ body: @escaping @Sendable (consuming UVDatagram) async throws -> Void
    ) async throws(UVError) {
        guard loop.staysHere() else {
            return try await loop.visit("serve") { () async throws(UVError) in
                try await self.serve(limit: limit, body)
            }
        }
        if isServing { throw UVError(.busy, operation: "serve") }
        isServing = true
        defer { isServing = false }
        try await serve(Slots(limit, on: loop), body).get()
    }

    /// The closure refers to `isolation`, the caller's actor, so that the closure runs on that actor.
    private func serve(
        _ slots: Slots, _ body: @escaping @Sendable (consuming UVDatagram) async throws -> Void,
        isolation: isolated (any Actor)? = #isolation
    ) async -> Result<Void, UVError> {
        await withDiscardingTaskGroup { group in
            _ = isolation
            do throws(UVError) {
                while await slots.acquire() {
                    let datagram: UVDatagram
                    do throws(UVError) { datagram = try await receiveSkippingFailures() } catch {
                        slots.release()
                        guard error.code == .cancelled else { throw error }
                        break
                    }
                    let (sender, isTruncated) = (datagram.sender, datagram.isTruncated)
                    // A closure cannot consume a noncopyable value that it captures, so pass the buffer in a box.
                    let box = BufferBox(datagram.buffer)
                    group.addTask(executorPreference: loop) {
                        try? await body(UVDatagram(box.take(), from: sender, isTruncated: isTruncated))
                        slots.release()
                    }
                }
                if await !slots.waitUntilFree() { group.cancelAll() }
                return .success(())
            } catch {
                group.cancelAll()
                return .failure(error)
            }
        }
    }
}
