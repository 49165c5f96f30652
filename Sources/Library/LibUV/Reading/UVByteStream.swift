/// A duplex byte stream for use in tasks, for example a `UVConnection`.
///
/// Code that speaks a protocol needs only these functions, so it can also run over a stream that a program implements
/// itself, for example one that encrypts its bytes. `UVBufferedReader` reads lines and other items from such a stream.
///
/// A type must implement `loop`, `read()`, `write(_:)` of a buffer, `flush`, `shutdown` and `close`. The other
/// functions have default implementations, which use these. A type that can implement them more efficiently does so.
///
/// A conforming type keeps the promises of `UVConnection`: one task may read while others write, and a task that is
/// cancelled while it waits is resumed immediately with `cancelled`, without losing bytes.
public protocol UVByteStream: AnyObject, Sendable {
    /// The loop to which the stream belongs.
    var loop: UVLoop { get }

    /// Returns the received bytes, and suspends while there are none.
    ///
    /// - Returns: at least one byte, in a buffer that the caller owns; `nil` at the end of the stream.
    /// - Throws: the stream's error; `cancelled` if the task is cancelled or the stream is closed; `busy` if another
    ///   task is reading.
    nonisolated(nonsending) func read() async throws(UVError) -> UVBuffer?

    /// Returns the received bytes like `read()`, with a time limit.
    ///
    /// After a timeout, the stream can still be used, and no bytes are lost. The default implementation cancels
    /// `read()` in a child task (`UVLoop.withTimeout`).
    ///
    /// - Throws: `timedOut` if no bytes have arrived within the time limit; otherwise the same errors as `read()`.
    nonisolated(nonsending) func read(within limit: Duration) async throws(UVError) -> UVBuffer?

    /// Writes a buffer and takes ownership of it.
    ///
    /// - Throws: the stream's error; `cancelled` if the task is cancelled while it waits.
    nonisolated(nonsending) func write(_ buffer: consuming UVBuffer) async throws(UVError)

    /// Writes a buffer like `write(_:)`, with a time limit.
    ///
    /// A timeout has the same effect on the stream as a cancellation of the write. The default implementation cancels
    /// `write(_:)` in a child task (`UVLoop.withTimeout`).
    ///
    /// - Throws: `timedOut` if the call has waited longer than the time limit; otherwise the same errors as
    ///   `write(_:)`.
    nonisolated(nonsending) func write(_ buffer: consuming UVBuffer, within limit: Duration) async throws(UVError)

    /// Writes a copy of bytes.
    ///
    /// - Throws: the same errors as `write` of a buffer.
    nonisolated(nonsending) func write(_ bytes: [UInt8]) async throws(UVError)

    /// Writes a text as UTF-8.
    ///
    /// - Throws: the same errors as `write` of a buffer.
    nonisolated(nonsending) func write(_ text: String) async throws(UVError)

    /// Suspends until the kernel has accepted all written bytes.
    ///
    /// - Throws: the same errors as `write` of a buffer.
    nonisolated(nonsending) func flush() async throws(UVError)

    /// Shuts down the write side, after all written bytes have been sent.
    ///
    /// The stream can still read.
    ///
    /// - Throws: `notConnected` if the write side has already been shut down; `cancelled` if the task is cancelled.
    nonisolated(nonsending) func shutdown() async throws(UVError)

    /// Closes the stream, and suspends until it has closed, even if the task is cancelled.
    ///
    /// Bytes that have not been sent are dropped; see `shutdown`.
    nonisolated(nonsending) func close() async
}

extension UVConnection: UVByteStream {}

extension UVByteStream {
    /// Copies bytes to a buffer from the loop's pool, and writes the buffer.
    ///
    /// - Throws: the same errors as `write` of a buffer.
    public nonisolated(nonsending) func write(_ bytes: [UInt8]) async throws(UVError) {
        try await write(loop.makeBuffer(copying: bytes))
    }

    /// Copies a text as UTF-8 to a buffer from the loop's pool, and writes the buffer.
    ///
    /// - Throws: the same errors as `write` of a buffer.
    public nonisolated(nonsending) func write(_ text: String) async throws(UVError) {
        try await write(loop.makeBuffer(copying: text))
    }

    /// Writes a copy of bytes with a time limit.
    ///
    /// - Throws: the same errors as `write(_:within:)` of a buffer.
    public nonisolated(nonsending) func write(_ bytes: [UInt8], within limit: Duration) async throws(UVError) {
        try await write(loop.makeBuffer(copying: bytes), within: limit)
    }

    /// Writes a text as UTF-8 with a time limit.
    ///
    /// - Throws: the same errors as `write(_:within:)` of a buffer.
    public nonisolated(nonsending) func write(_ text: String, within limit: Duration) async throws(UVError) {
        try await write(loop.makeBuffer(copying: text), within: limit)
    }

    /// Calls `read()`, and cancels it after a time limit (`UVLoop.withTimeout`).
    ///
    /// - Throws: `timedOut` if `read()` has been cancelled; otherwise the same errors as `read()`.
    public nonisolated(nonsending) func read(within limit: Duration) async throws(UVError) -> UVBuffer? {
        do { return try await loop.withTimeout(limit) { try await self.read() } } catch {
            throw UVError(ofTimed: error, "UVByteStream.read")
        }
    }

    /// Calls `write` with a buffer, and cancels it after a time limit (`UVLoop.withTimeout`).
    ///
    /// - Throws: `timedOut` if `write` has been cancelled; otherwise the same errors as `write`.
    public nonisolated(nonsending) func write(
        _ buffer: consuming UVBuffer, within limit: Duration
    ) async throws(UVError) {
        let box = BufferBox(buffer)
        do { try await loop.withTimeout(limit) { try await self.write(box.take()) } } catch {
            throw UVError(ofTimed: error, "UVByteStream.write")
        }
    }
}

extension UVError {
    /// Makes the error of an operation from an error of `UVLoop.withTimeout`, whose body throws only errors of this
    /// type.
    fileprivate init(ofTimed error: any Error, _ operation: String) {
        let error = error as? UVError ?? UVError(.cancelled, operation: operation)
        self = error.operation == "withTimeout" ? UVError(.timedOut, operation: operation) : error
    }
}
