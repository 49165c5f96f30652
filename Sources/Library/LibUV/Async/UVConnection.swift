internal import CLibUV

// @unchecked Sendable: every function does its work on the loop's thread, and the byte count is atomic.
/// A stream whose `read` and `write` functions suspend the calling task while they wait.
///
/// **Executor.** A connection may be passed to other tasks, stored anywhere, and used on any executor. It costs least
/// in tasks of its loop (`UVLoop.run`, `UVLoop.task`) and in a `UVActor`. A call from any other executor switches to
/// the loop and back.
///
/// **Order.** One task may read while others write. If a second task reads at the same time, its call throws `busy`.
///
/// **Back-pressure.** The connection pauses reading from the kernel as soon as it has read `readLimit` bytes ahead.
/// Therefore it buffers at most `readLimit` bytes plus one read (`UVLoop.Configuration.readBufferSize`). `write`
/// suspends while more than `highWaterMark` bytes are queued.
///
/// **Cancellation.** A task that is cancelled while it waits is resumed immediately with `cancelled`. A cancelled read
/// loses no bytes. If a write is cancelled before its bytes are queued, it sends nothing. If a write is cancelled
/// later, the connection accepts no more writes.
@safe
public final class UVConnection: @unchecked Sendable {
    /// The stream.
    ///
    /// Only the connection may read from the stream. Use the stream only on the loop. On any other thread, this
    /// property terminates the process with a message, even in release builds. `withStream` is callable on any
    /// executor.
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
    var reader: UnsafeMutablePointer<ParkedTask> {
        // The state has its own memory and never moves.
        unsafe withUnsafeMutablePointer(to: &state.pointee.reader) { unsafe $0 }
    }

    /// Makes a connection from a connected stream that is not being read.
    ///
    /// - Parameters:
    ///   - stream: a connected stream, for example from `accept`, or an end of a pipe.
    ///   - readLimit: the number of bytes to read ahead before reading pauses. The last read may exceed this limit.
    ///   - highWaterMark: the number of queued bytes above which `write` suspends.
    /// - Throws: `alreadyInProgress` if the stream already has a closure for its events; `invalidArgument` if the
    ///   stream is closing. In either case, the caller still owns the stream.
    public init(
        _ stream: UVStream, readLimit: Int = 64 * 1024, highWaterMark: Int = 64 * 1024
    ) throws(UVError) {
        handle = stream
        loop = stream.loop
        unsafe state = .allocate(capacity: 1)
        unsafe state.initialize(to: ConnectionState(readLimit: readLimit, highWaterMark: highWaterMark))
        // The closure retains this object until the stream has closed.
        try stream.onEvent { [self] _, event in happened(event) }
    }

    deinit {
        unsafe state.deinitialize(count: 1)
        unsafe state.deallocate()
    }

    private func happened(_ event: borrowing UVStreamEvent) {
        switch event {
        case .bytes(let bytes): received(bytes)
        case .end:
            unsafe state.pointee.hasEnded = true
            wake()
        case .failed(let error): fail(error)
        case .written:
            if unsafe handle.writeQueueSize <= state.pointee.highWaterMark / 2 {
                handle.reportsWrites = false
                wakeWriters()
            }
        case .drained: wakeWriters()
        case .closed:
            unsafe state.pointee.failure = UVConnection.closedError
            unsafe state.pointee.received.removeAll()
            closeTimer()
            wake()
        }
    }

    /// Records that the stream has failed, and resumes all waiting tasks.
    func fail(_ error: UVError) {
        unsafe state.pointee.failure = state.pointee.failure ?? error
        wake()
    }

    private func wake() {
        unsafe state.pointee.isReading = false
        unsafe reader.pointee.wake(on: loop)
        wakeWriters()
    }

    private func received(_ bytes: Span<UInt8>) {
        if unsafe state.pointee.ownByteCount == nil {
            // libuv has read into the memory that the reader provided.
            handle.finishLending()
            unsafe state.pointee.ownByteCount = bytes.count
        } else {
            unsafe state.pointee.received.append(bytes, from: loop.pool)
            if unsafe state.pointee.received.byteCount >= state.pointee.readLimit { stopReading() }
        }
        // Run the task at the end of this callback, while its bytes are still in the processor's cache. Nothing may
        // follow, because the task may close the connection.
        if let job = unsafe reader.pointee.takeWoken() { loop.runAtEndOfCallback(job) }
    }

    private func stopReading() {
        handle.stopReading()
        unsafe state.pointee.isReading = false
    }

    /// Resumes reading, unless `readLimit` bytes have been read ahead or the stream has ended or failed.
    func readOn() {
        guard
            unsafe !state.pointee.isReading && !state.pointee.hasEnded && state.pointee.failure == nil
                && state.pointee.received.byteCount < state.pointee.readLimit
        else { return }
        do throws(UVError) {
            try handle.resumeReading()
            unsafe state.pointee.isReading = true
        } catch { unsafe state.pointee.failure = closedOr(error) }
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
    /// - Throws: the error that `body` throws; `cancelled` if the call comes from another executor and the loop is
    ///   closing or closed.
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

    /// Shuts down the write side after all written bytes have been sent (`uv_shutdown`).
    ///
    /// The connection can still read.
    ///
    /// - Throws: `notConnected` if the write side has already been shut down; `cancelled` if the connection is closed
    ///   or the task is cancelled. If the task is cancelled while it waits, the shutdown still takes place.
    public nonisolated(nonsending) func shutdown() async throws(UVError) {
        guard loop.isRunningHere else {
            return try await loop.visit("uv_shutdown") { () async throws(UVError) in try await self.shutdown() }
        }
        try await loop.waitFor("uv_shutdown") { operation throws(UVError) in
            if isClosing { throw UVConnection.closedError }
            try handle.shutdown { operation.complete($0) }
            return nil
        }
    }

    /// Closes the stream (`uv_close`), and suspends until it has closed, even if the task is cancelled.
    ///
    /// Bytes that have not been sent and bytes that have been read ahead are dropped; see `shutdown` and `closing`. All
    /// tasks that wait for the connection are resumed. Their calls and all later calls throw `cancelled`.
    public nonisolated(nonsending) func close() async {
        guard loop.isRunningHere else {
            // `visit` fails only if the loop closes, which also closes the stream.
            try? await loop.visit("uv_close") { () async throws(UVError) in await self.close() }
            return
        }
        unsafe state.pointee.failure = UVConnection.closedError
        unsafe state.pointee.isReading = false
        unsafe state.pointee.received.removeAll()
        await loop.close(handle)
    }

    /// Calls `body` with the connection, and closes the connection when `body` returns or throws.
    ///
    /// If `body` returns, all written bytes are sent, followed by FIN. If the peer does not accept the bytes in time,
    /// the connection is closed with a reset. If `body` throws or the task is cancelled, the connection is closed
    /// immediately.
    ///
    /// - Parameters:
    ///   - limit: the time limit for sending the remaining bytes after `body` has returned.
    ///   - body: uses the connection.
    /// - Returns: the value that `body` returns.
    /// - Throws: the error that `body` throws.
    public nonisolated(nonsending) func closing<Outcome>(
        within limit: Duration = .seconds(30), _ body: nonisolated(nonsending) (UVConnection) async throws -> Outcome
    ) async rethrows -> Outcome {
        let outcome: Outcome
        do { outcome = try await attendingToCancellation(body) } catch {
            await close()
            throw error
        }
        await finish(within: limit)
        return outcome
    }

    /// Sends the remaining bytes, unless `limit` is `nil`, and closes the stream.
    nonisolated(nonsending) func finish(within limit: Duration?) async {
        if let limit, !isClosing { await finishSending(within: limit) }
        await close()
    }

    /// Shuts down the write side, and suspends until all bytes have been sent.
    ///
    /// If that takes longer than `limit`, the function prepares the stream so that closing it resets the connection.
    private nonisolated(nonsending) func finishSending(within limit: Duration) async {
        guard loop.staysHere() else {
            // `visit` fails only if the loop closes, which also closes the stream.
            try? await loop.visit("uv_shutdown") { () async throws(UVError) in await self.finishSending(within: limit) }
            return
        }
        // After an abandoned write, do not wait again: the peer does not read, and the program has already waited for
        // the peer.
        if unsafe state.pointee.hasAbandonedWrite { return handle.resetWhenClosed() }
        do throws(UVError) {
            // Without queued bytes, the shutdown does not depend on the peer, and needs no timer.
            if handle.writeQueueSize == 0 { return try await shutdown() }
            // `body` may have begun a shutdown without waiting for its end.
            if !handle.isWritable { return try await waitForShutdown(until: deadline(after: limit)) }
            let timer = try UVTimer(on: loop)
            defer { timer.close() }
            try await loop.waitFor("uv_shutdown") { operation throws(UVError) in
                try handle.shutdown { operation.complete($0) }
                try timer.start(after: limit) { _ in
                    operation.complete(.failure(UVError(.timedOut, operation: "uv_shutdown")))
                }
                return nil
            }
        } catch {
            // After any other error, there is nothing to wait for: the peer has closed the connection, `body` has
            // already shut down the write side, or the task is cancelled.
            if error.code == .timedOut { handle.resetWhenClosed() }
        }
    }

    /// The error of calls on a closed connection.
    static var closedError: UVError { UVError(.cancelled, operation: "uv_close") }

    /// Returns `cancelled` if the connection is closed, because that explains why a call failed; otherwise returns the
    /// call's error.
    func closedOr(_ error: UVError) -> UVError { isClosing ? UVConnection.closedError : error }
}
