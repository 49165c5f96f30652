internal import CLibUV

// @unchecked Sendable: every function checks, in release builds too, that it runs on the loop's thread.
/// A stream as tasks use it: `read` and `write` suspend.
///
/// **Executor.** Use a connection in tasks of its loop (`UVLoop.run`, `Task(executorPreference: loop)`) or in a
/// `UVActor`. It may be passed to another task and kept anywhere; a call from outside of the loop traps, in release
/// builds too.
///
/// **Order.** One task may read while others write. A second reader at a time is refused.
///
/// **Back-pressure.** At most `readLimit` bytes wait here to be read, and what one read of the loop brought beyond
/// them; then the peer has to wait. `write` suspends while more than `highWaterMark` bytes wait to be sent.
///
/// **Cancellation.** A task that is cancelled while it waits is resumed at once with `cancelled`. Bytes are neither
/// lost nor sent twice by it.
@safe
public final class UVConnection: @unchecked Sendable {
    /// The stream, whose reading belongs to the connection.
    public let stream: UVStream

    /// The loop that the stream lives on.
    public let loop: UVLoop

    let state: UnsafeMutablePointer<ConnectionState>

    /// Where the task that reads waits.
    let reader: UnsafeMutablePointer<ParkedTask>

    /// Takes over a connected stream that nobody reads yet.
    ///
    /// - Parameters:
    ///   - stream: connected, as from `accept`, or the end of a pipe.
    ///   - readLimit: how many bytes may wait here to be read.
    ///   - highWaterMark: how many bytes may wait to be sent before `write` suspends.
    /// - Throws: `alreadyInProgress` where the stream has a closure for its events; `invalidArgument` where it is
    ///   closing. The stream is then still the caller's.
    public init(
        _ stream: UVStream, readLimit: Int = 64 * 1024, highWaterMark: Int = 64 * 1024
    ) throws(UVError) {
        self.stream = stream
        loop = stream.loop
        unsafe state = .allocate(capacity: 1)
        unsafe reader = .allocate(capacity: 1)
        unsafe reader.initialize(to: ParkedTask())
        unsafe state.initialize(to: ConnectionState(readLimit: readLimit, highWaterMark: highWaterMark))
        // The closure keeps this object until the stream has closed.
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
            if unsafe stream.writeQueueSize <= state.pointee.highWaterMark / 2 {
                stream.reportsWrites = false
                wakeWriters()
            }
        case .closed:
            unsafe state.pointee.failure = UVError(.cancelled, operation: "uv_close")
            unsafe state.pointee.received = ReceivedBytes()
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
            // libuv has filled the reader's own memory.
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

    /// Lets libuv read, where there is room for more.
    func readOn() {
        guard
            unsafe !state.pointee.isReading && !state.pointee.hasEnded && state.pointee.failure == nil
                && state.pointee.received.byteCount < state.pointee.readLimit
        else { return }
        do throws(UVError) {
            try stream.resumeReading()
            unsafe state.pointee.isReading = true
        } catch { unsafe state.pointee.failure = error }
    }
}

extension UVConnection {
    /// Whether the stream is closing or closed.
    public var isClosing: Bool { stream.isClosing }

    /// How many bytes wait to be read.
    public var receivedByteCount: Int {
        loop.checkIsolated()
        return unsafe state.pointee.received.byteCount
    }

    /// Ends this side once all that was written has been sent (`uv_shutdown`); the peer's side can still be read.
    ///
    /// - Throws: `notConnected` where this was done before; `cancelled` where the task is cancelled, while the end
    ///   is still sent in its time.
    public nonisolated(nonsending) func shutdown() async throws(UVError) {
        try await loop.waitFor("uv_shutdown") { operation throws(UVError) in
            try stream.shutdown { operation.complete($0) }
            return nil
        }
    }

    /// Closes the stream (`uv_close`), and suspends until it has closed; a cancelled task waits too.
    ///
    /// What was not sent is not: see `shutdown`.
    public nonisolated(nonsending) func close() async {
        loop.checkIsolated()
        await loop.close(stream)
    }

    /// Calls `body` with the connection, and closes it on every way out.
    ///
    /// Where `body` returns, what it has written is sent first, and then the end; where it throws or the task is
    /// cancelled, the connection is closed at once.
    ///
    /// - Returns: what `body` returned.
    /// - Throws: what `body` threw.
    public nonisolated(nonsending) func closing<Outcome>(
        _ body: nonisolated(nonsending) (UVConnection) async throws -> Outcome
    ) async rethrows -> Outcome {
        let outcome: Outcome
        do { outcome = try await attendingToCancellation(body) } catch {
            await close()
            throw error
        }
        // Fails where the peer is gone or the body has done it: then there is nothing left to send.
        if !isClosing { try? await shutdown() }
        await close()
        return outcome
    }
}
