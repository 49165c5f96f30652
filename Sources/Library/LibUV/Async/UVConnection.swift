internal import CLibUV

// @unchecked Sendable: every function checks that it runs on the loop's thread, also in release builds.
/// A stream for use in tasks, whose `read` and `write` suspend.
///
/// **Executor.** Use a connection in tasks of its loop (`UVLoop.run`, `Task(executorPreference: loop)`) or in a
/// `UVActor`. A connection may be passed to other tasks and stored anywhere. A call outside of the loop traps, also in
/// release builds.
///
/// **Order.** One task may read while others write. If a second task reads at the same time, its call throws `busy`.
///
/// **Back-pressure.** The connection stops reading from the kernel when it has read `readLimit` bytes ahead. The last
/// read may exceed the limit. `write` suspends while more than `highWaterMark` bytes are queued.
///
/// **Cancellation.** A task that is cancelled while it waits is resumed immediately with `cancelled`. A cancelled read
/// loses no bytes. A cancelled write sends nothing if it has not begun; otherwise the connection accepts no further
/// write.
@safe
public final class UVConnection: @unchecked Sendable {
    /// The stream.
    ///
    /// Only the connection may read from it.
    public let stream: UVStream

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
        self.stream = stream
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
        case .failed(let error): fail(error)
        case .written:
            if unsafe stream.writeQueueSize <= state.pointee.highWaterMark / 2 {
                stream.reportsWrites = false
                wakeWriters()
            }
        case .drained: break
        case .closed:
            unsafe state.pointee.failure = UVConnection.closedError
            unsafe state.pointee.received = ReceivedBytes()
            closeTimer()
            wake()
        }
    }

    /// Notes that the stream has failed, and resumes all tasks that wait.
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
            // libuv has filled the memory that the reader provided.
            stream.finishLending()
            unsafe state.pointee.ownByteCount = bytes.count
        } else {
            unsafe state.pointee.received.append(bytes, from: loop.pool)
            if unsafe state.pointee.received.byteCount >= state.pointee.readLimit { stopReading() }
        }
        unsafe reader.pointee.wake(on: loop)
    }

    private func stopReading() {
        stream.stopReading()
        unsafe state.pointee.isReading = false
    }

    /// Resumes reading if the limit allows more bytes.
    func readOn() {
        guard
            unsafe !state.pointee.isReading && !state.pointee.hasEnded && state.pointee.failure == nil
                && state.pointee.received.byteCount < state.pointee.readLimit
        else { return }
        do throws(UVError) {
            try stream.resumeReading()
            unsafe state.pointee.isReading = true
        } catch { unsafe state.pointee.failure = closedOr(error) }
    }
}

extension UVConnection {
    /// Whether the stream is closing or closed.
    public var isClosing: Bool { stream.isClosing }

    /// The number of bytes that have been read ahead.
    public var receivedByteCount: Int {
        loop.checkIsolated()
        return unsafe state.pointee.received.byteCount
    }

    /// Shuts down the write side, after all written bytes have been sent (`uv_shutdown`).
    ///
    /// The connection can still read.
    ///
    /// - Throws: `notConnected` if the write side has already been shut down; `cancelled` if the connection is closed
    ///   or the task is cancelled. In the latter case, the shutdown still takes place.
    public nonisolated(nonsending) func shutdown() async throws(UVError) {
        try await loop.waitFor("uv_shutdown") { operation throws(UVError) in
            if isClosing { throw UVConnection.closedError }
            try stream.shutdown { operation.complete($0) }
            return nil
        }
    }

    /// Closes the stream (`uv_close`), and suspends until it has closed, even if the task is cancelled.
    ///
    /// Bytes that have not been sent and bytes that have been read ahead are dropped; see `shutdown` and `closing`. All
    /// tasks that wait for the connection are resumed, and their calls throw `cancelled`. So do all later calls.
    public nonisolated(nonsending) func close() async {
        loop.checkIsolated()
        unsafe state.pointee.failure = UVConnection.closedError
        unsafe state.pointee.received = ReceivedBytes()
        await loop.close(stream)
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
        if !isClosing { await finishSending(within: limit) }
        await close()
        return outcome
    }

    /// Shuts down the write side, and suspends until all bytes have been sent.
    ///
    /// If that takes longer than a limit, the function prepares the stream so that closing it resets the connection.
    private nonisolated(nonsending) func finishSending(within limit: Duration) async {
        do throws(UVError) {
            // Without queued bytes, the shutdown does not depend on the peer, and needs no timer.
            if stream.writeQueueSize == 0 { return try await shutdown() }
            let timer = try UVTimer(on: loop)
            defer { timer.close() }
            try await loop.waitFor("uv_shutdown") { operation throws(UVError) in
                try stream.shutdown { operation.complete($0) }
                try timer.start(after: limit) { _ in
                    operation.complete(.failure(UVError(.timedOut, operation: "uv_shutdown")))
                }
                return nil
            }
        } catch {
            // Other errors mean that nothing remains to be sent: the peer has closed the connection, `body` has already
            // shut down the write side, or the task is cancelled.
            if error.is(.timedOut) { stream.resetWhenClosed() }
        }
    }

    /// The error of calls on a closed connection.
    static var closedError: UVError { UVError(.cancelled, operation: "uv_close") }

    /// Returns `cancelled` if the connection is closed, which explains the error of a call, or else that error.
    func closedOr(_ error: UVError) -> UVError { isClosing ? UVConnection.closedError : error }
}
