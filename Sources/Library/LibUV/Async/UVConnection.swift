internal import CLibUV

// @unchecked Sendable: every function continues on the loop's thread, and the count of bytes is atomic.
/// A stream for use in tasks, whose `read` and `write` suspend.
///
/// **Executor.** A connection may be passed to other tasks, stored anywhere, and used on any executor. It costs least in
/// tasks of its loop (`UVLoop.run`, `UVLoop.task`) and in a `UVActor`. Any other call goes to the loop, works there, and
/// resumes where it came from.
///
/// **Order.** One task may read while others write. If a second task reads at the same time, its call throws `busy`.
///
/// **Back-pressure.** The connection stops reading from the kernel when it has read `readLimit` bytes ahead. The last
/// read may exceed the limit. `write` suspends while more than `highWaterMark` bytes are queued.
///
/// **Cancellation.** A task that is cancelled while it waits is resumed immediately with `cancelled`. No bytes are lost
/// or sent twice.
@safe
public final class UVConnection: @unchecked Sendable {
    /// The stream.
    ///
    /// Only the connection may read from it. Use it only on the loop. Elsewhere, this property ends the process with a
    /// message, also in release builds; `withStream` is callable on any executor.
    public var stream: UVStream {
        loop.checkIsolated("UVConnection.stream")
        return handle
    }

    /// The stream, without a check of the thread.
    let handle: UVStream

    /// The loop to which the stream belongs.
    public let loop: UVLoop

    let state: UnsafeMutablePointer<ConnectionState>

    /// The storage for a task that waits for bytes.
    let reader: UnsafeMutablePointer<ParkedTask>

    /// Makes a connection from a connected stream that is not being read.
    ///
    /// - Parameters:
    ///   - stream: a connected stream, for example from `accept`, or an end of a pipe.
    ///   - readLimit: the limit on the bytes to read ahead.
    ///   - highWaterMark: the number of queued bytes above which `write` suspends.
    /// - Throws: `alreadyInProgress` if the stream already has a closure for its events; `invalidArgument` if it is
    ///   closing. The caller then still owns the stream.
    public init(
        _ stream: UVStream, readLimit: Int = 64 * 1024, highWaterMark: Int = 64 * 1024
    ) throws(UVError) {
        handle = stream
        loop = stream.loop
        unsafe state = .allocate(capacity: 1)
        unsafe reader = .allocate(capacity: 1)
        unsafe reader.initialize(to: ParkedTask())
        unsafe state.initialize(to: ConnectionState(readLimit: readLimit, highWaterMark: highWaterMark))
        // The closure retains this object until the stream has closed.
        try stream.attach { [self] _, event in happened(event) }
    }

    deinit {
        unsafe state.deinitialize(count: 1)
        unsafe state.deallocate()
        unsafe reader.deallocate()
    }

    private func happened(_ event: borrowing UVStreamEvent) {
        switch event {
        case .bytes(let bytes): loop.withEpilogue { received(bytes) }
        case .end:
            unsafe state.pointee.hasEnded = true
            wake()
        case .failed(let error):
            unsafe state.pointee.failure = state.pointee.failure ?? error
            wake()
        case .written:
            if unsafe handle.writeQueueSize <= state.pointee.highWaterMark / 2 {
                handle.reportsWrites = false
                wakeWriters()
            }
        case .closed:
            unsafe state.pointee.failure = UVError(.cancelled, operation: "uv_close")
            unsafe state.pointee.received.removeAll()
            wake()
        }
    }

    private func wake() {
        unsafe state.pointee.isReading = false
        unsafe reader.pointee.wake(on: loop)
        wakeWriters()
    }

    private func received(_ bytes: Span<UInt8>) {
        if unsafe state.pointee.ownByteCount == nil {
            // libuv has filled the memory that the reader provided.
            handle.finishLending()
            unsafe state.pointee.ownByteCount = bytes.count
        } else {
            unsafe state.pointee.received.append(bytes, from: loop.pool)
            if unsafe state.pointee.received.byteCount >= state.pointee.readLimit { stopReading() }
        }
        unsafe reader.pointee.wake(on: loop)
    }

    private func stopReading() {
        handle.stopReading()
        unsafe state.pointee.isReading = false
    }

    /// Resumes reading if the limit allows more bytes.
    func readOn() {
        guard
            unsafe !state.pointee.isReading && !state.pointee.hasEnded && state.pointee.failure == nil
                && state.pointee.received.byteCount < state.pointee.readLimit
        else { return }
        do throws(UVError) {
            try handle.resumeReading()
            unsafe state.pointee.isReading = true
        } catch { unsafe state.pointee.failure = error }
    }
}

extension UVConnection {
    /// Whether the stream is closing or closed.
    ///
    /// Callable from any thread.
    public var isClosing: Bool { handle.isClosing }

    /// Calls `body` on the loop with the stream, for access to its options and addresses.
    ///
    /// Callable on any executor.
    ///
    /// - Returns: the value that `body` returns.
    /// - Throws: the error that `body` throws; `cancelled` if the loop is closing or closed, and the call comes from
    ///   another executor.
    public nonisolated(nonsending) func withStream<Outcome: Sendable>(
        _ body: @Sendable (UVStream) throws(UVError) -> Outcome
    ) async throws(UVError) -> Outcome {
        guard loop.isRunningHere else {
            return try await loop.visit("UVConnection.withStream") { () async throws(UVError) in
                try body(self.handle)
            }
        }
        return try body(handle)
    }

    /// The number of bytes that have been read ahead.
    ///
    /// Callable from any thread.
    public var receivedByteCount: Int {
        // The count is atomic.
        return unsafe state.pointee.received.byteCount
    }

    /// Shuts down the write side, after all written bytes have been sent (`uv_shutdown`).
    ///
    /// The connection can still read.
    ///
    /// - Throws: `notConnected` if the write side has already been shut down; `cancelled` if the task is cancelled. In
    ///   the latter case, the shutdown still takes place.
    public nonisolated(nonsending) func shutdown() async throws(UVError) {
        guard loop.isRunningHere else {
            return try await loop.visit("uv_shutdown") { () async throws(UVError) in try await self.shutdown() }
        }
        try await loop.waitFor("uv_shutdown") { operation throws(UVError) in
            try handle.shutdown { operation.complete($0) }
            return nil
        }
    }

    /// Closes the stream (`uv_close`), and suspends until it has closed, even if the task is cancelled.
    ///
    /// Bytes that have not been sent are dropped; see `shutdown`.
    public nonisolated(nonsending) func close() async {
        await loop.close(handle)
    }

    /// Calls `body` with the connection, and closes the connection when `body` returns or throws.
    ///
    /// If `body` returns, all written bytes are sent, followed by FIN. If it throws or the task is cancelled, the
    /// connection is closed immediately.
    ///
    /// - Returns: the value that `body` returns.
    /// - Throws: the error that `body` throws.
    public nonisolated(nonsending) func closing<Outcome>(
        _ body: nonisolated(nonsending) (UVConnection) async throws -> Outcome
    ) async rethrows -> Outcome {
        let outcome: Outcome
        do { outcome = try await attendingToCancellation(body) } catch {
            await close()
            throw error
        }
        // The shutdown fails if the peer has closed the connection, or if `body` has already shut it down. Nothing
        // remains to be sent then.
        if !isClosing { try? await shutdown() }
        await close()
        return outcome
    }
}
