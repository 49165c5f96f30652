internal import Synchronization

// @unchecked Sendable: `unread` is used only between `begin` and `finish`, and `isBusy` admits one call at a time.
/// Reads lines, messages and other items from a byte stream.
///
/// A stream delivers bytes in pieces whose boundaries have no meaning. A reader collects the pieces until an item is
/// complete, and keeps the bytes after the item for the next call. The reader copies bytes to an array only if an item
/// spans several pieces.
///
/// **Limits.** Every function whose item has no fixed length takes a byte limit, so that a peer cannot make the reader
/// buffer an unlimited number of bytes. The reader holds at most as many bytes as this limit plus one read.
///
/// **Errors.** Functions throw `UVReadError` if the stream ends inside an item or the item exceeds its limit, and
/// `UVError` if the stream fails. The functions do not declare an error type, because a function can declare only one
/// type. After an error, including `cancelled`, the reader still holds the bytes, and the next call continues with
/// them.
///
/// **Tasks.** A reader may be passed to other tasks and stored anywhere. If two tasks call it at the same time, the
/// second call throws `busy`. Other code must not read from the stream directly, but may write to it.
public final class UVBufferedReader: @unchecked Sendable {
    /// The stream from which the reader gets its bytes.
    public let stream: any UVByteStream

    private let isBusy = Atomic<Bool>(false)
    var unread = UnreadBytes()

    /// Makes a reader for a stream, for example a `UVConnection`.
    ///
    /// The reader does not close the stream.
    public init(_ stream: any UVByteStream) { self.stream = stream }

    /// Reserves the reader for one call.
    ///
    /// - Parameter function: the name of the call, for the error.
    /// - Throws: `busy` if another call has not returned.
    func begin(_ function: StaticString) throws(UVError) {
        guard isBusy.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged else {
            throw UVError(.busy, operation: "UVBufferedReader.\(function)")
        }
    }

    func finish() { isBusy.store(false, ordering: .releasing) }

    /// Waits for more bytes.
    ///
    /// - Returns: whether bytes have arrived; `false` at the end of the stream.
    nonisolated(nonsending) func fill() async throws(UVError) -> Bool {
        guard let buffer = try await stream.read() else { return false }
        unread.append(buffer)
        return true
    }
}

extension UVBufferedReader {
    /// Returns exactly `count` bytes.
    ///
    /// The reader reserves no memory for bytes that have not been received, so `count` may come from the peer if the
    /// program limits `count`.
    ///
    /// - Parameter count: the number of bytes. With 0, the call returns immediately.
    /// - Throws: `UVReadError.endOfStream` if the stream ends earlier, even if it ends before the first byte;
    ///   `invalidArgument` if `count` is negative; the stream's errors; `busy` if another call has not returned.
    public nonisolated(nonsending) func exactly(_ count: Int) async throws -> [UInt8] {
        guard count >= 0 else { throw UVError(.invalidArgument, operation: "UVBufferedReader.exactly") }
        try begin("exactly")
        defer { finish() }
        while unread.count < count {
            guard try await fill() else {
                throw UVReadError.endOfStream(received: unread.count, expected: count)
            }
        }
        return unread.takeFirst(count)
    }

    /// Returns the bytes that the reader holds, or the bytes of the next read if the reader holds none.
    ///
    /// Use it for bytes without structure, for example after a proxy has read a request.
    ///
    /// - Parameter limit: the largest number of bytes to return, at least 1.
    /// - Returns: at least one byte; `nil` at the end of the stream.
    /// - Throws: the stream's errors; `busy` if another call has not returned.
    public nonisolated(nonsending) func bytes(upTo limit: Int = 64 * 1024) async throws(UVError) -> [UInt8]? {
        try begin("bytes")
        defer { finish() }
        if unread.count == 0 {
            guard try await fill() else { return nil }
        }
        return unread.takeFirst(min(unread.count, max(1, limit)))
    }

    /// Returns the bytes before a delimiter, and removes them and the delimiter from the reader.
    ///
    /// - Parameters:
    ///   - delimiter: the bytes that end the item, at least one.
    ///   - limit: the largest number of bytes before the delimiter.
    /// - Returns: the bytes without the delimiter; `nil` if the stream has ended and no bytes remain.
    /// - Throws: `UVReadError.limitExceeded` if more than `limit` bytes precede the delimiter;
    ///   `UVReadError.endOfStream` if the stream ends after some bytes without a delimiter; `invalidArgument` if the
    ///   delimiter is empty; the stream's errors; `busy` if another call has not returned.
    public nonisolated(nonsending) func until(_ delimiter: [UInt8], limit: Int = 8192) async throws -> [UInt8]? {
        if delimiter.isEmpty { throw UVError(.invalidArgument, operation: "UVBufferedReader.until") }
        try begin("until")
        defer { finish() }
        var scan = DelimiterScan(delimiter, limit: limit)
        while true {
            if let length = try unread.withBytes({ bytes throws(UVReadError) in try scan.end(in: bytes) }) {
                let item = unread.takeFirst(length)
                unread.removeFirst(delimiter.count)
                return item
            }
            guard try await fill() else {
                if unread.count == 0 { return nil }
                throw UVReadError.endOfStream(received: unread.count, expected: nil)
            }
        }
    }

    /// Returns the bytes before a delimiter of one byte, and removes them and the delimiter from the reader.
    ///
    /// - Returns: the bytes without the delimiter; `nil` if the stream has ended and no bytes remain.
    /// - Throws: the same errors as `until` with several bytes.
    public nonisolated(nonsending) func until(_ delimiter: UInt8, limit: Int = 8192) async throws -> [UInt8]? {
        try await until([delimiter], limit: limit)
    }

    /// Returns the next message of a protocol, which a closure recognizes.
    ///
    /// The reader calls `parse` with all bytes that it holds, beginning with the first byte of the message, and calls
    /// `parse` again with more bytes as long as `parse` returns `nil`.
    ///
    /// - Parameters:
    ///   - limit: the largest number of bytes of a message.
    ///   - parse: returns the message and the number of bytes that it occupies, or `nil` if the bytes contain only the
    ///     beginning of a message. `parse` receives at least one byte. The bytes are valid only during the call.
    /// - Returns: the message; `nil` if the stream has ended and no bytes remain.
    /// - Throws: `UVReadError.limitExceeded` if the message is longer than `limit`; `UVReadError.endOfStream` if the
    ///   stream ends inside a message; the error that `parse` throws, after which the reader still holds the bytes;
    ///   `invalidArgument` if `parse` returns a number of bytes that is negative or larger than the number that it
    ///   received; the stream's errors; `busy` if another call has not returned.
    public nonisolated(nonsending) func message<Message>(
        limit: Int = 1 << 20, _ parse: (Span<UInt8>) throws -> (Message, used: Int)?
    ) async throws -> Message? {
        try begin("message")
        defer { finish() }
        while true {
            let count = unread.count
            if count > 0 {
                if let (message, used) = try unread.withBytes(parse) {
                    guard used >= 0, used <= count else {
                        throw UVError(.invalidArgument, operation: "UVBufferedReader.message")
                    }
                    if used > limit { throw UVReadError.limitExceeded(limit: limit) }
                    unread.removeFirst(used)
                    return message
                }
                if count >= limit { throw UVReadError.limitExceeded(limit: limit) }
            }
            guard try await fill() else {
                if count == 0 { return nil }
                throw UVReadError.endOfStream(received: count, expected: nil)
            }
        }
    }
}
