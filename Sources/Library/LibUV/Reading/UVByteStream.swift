/// A duplex byte stream for use in tasks, for example a `UVConnection`.
///
/// Code that speaks a protocol needs only these functions, so it can also run over a stream that a program implements
/// itself, for example one that encrypts its bytes. `UVBufferedReader` reads lines and other items from such a stream.
///
/// A conforming type keeps the promises of `UVConnection`: one task may read while others write, and a task that is
/// cancelled while it waits is resumed immediately with `cancelled`, without losing bytes.
public protocol UVByteStream: AnyObject, Sendable {
    /// The loop to which the stream belongs.
    var loop: UVLoop { get }

    /// Returns the received bytes, and suspends while there are none.
    ///
    /// - Returns: at least one byte, in a buffer that the caller owns; `nil` at the end of the stream.
    /// - Throws: the error of the stream; `cancelled` if the task is cancelled or the stream is closed; `busy` if another
    ///   task is reading.
    nonisolated(nonsending) func read() async throws(UVError) -> UVBuffer?

    /// Writes a buffer and takes ownership of it.
    ///
    /// - Throws: the error of the stream; `cancelled` if the task is cancelled while it waits.
    nonisolated(nonsending) func write(_ buffer: consuming UVBuffer) async throws(UVError)

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
