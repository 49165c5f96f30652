extension UVBufferedReader {
    /// Returns the next line as text, without its terminator.
    ///
    /// A line ends with LF or with CR LF. A CR without a following LF is part of the line. The last line of the stream
    /// may lack a terminator. Invalid UTF-8 is repaired: each invalid sequence becomes U+FFFD. Use `withLine` to get
    /// the bytes.
    ///
    /// - Parameter limit: the maximum number of bytes in a line, without the terminator.
    /// - Returns: the line; `nil` if the stream has ended and no bytes remain.
    /// - Throws: `UVReadError.limitExceeded` if the line is longer than `limit`; the stream's errors; `busy` if another
    ///   call has not returned.
    public nonisolated(nonsending) func line(limit: Int = 8192) async throws -> String? {
        try await withLine("line", limit: limit) { bytes in
            unsafe bytes.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
        }
    }

    /// Calls `body` with the bytes of the next line, without its terminator and without a copy.
    ///
    /// The line is removed from the reader when `body` returns or throws. In all other respects, the function is like
    /// `line(limit:)`.
    ///
    /// - Parameters:
    ///   - limit: the maximum number of bytes in a line, without the terminator.
    ///   - body: uses the bytes, which are valid only during the call.
    /// - Returns: the value that `body` returns; `nil` if the stream has ended and no bytes remain.
    /// - Throws: the error that `body` throws, or the same errors as `line(limit:)`.
    public nonisolated(nonsending) func withLine<Outcome: ~Copyable>(
        limit: Int = 8192, _ body: (Span<UInt8>) throws -> Outcome
    ) async throws -> Outcome? { try await withLine("withLine", limit: limit, body) }

    private nonisolated(nonsending) func withLine<Outcome: ~Copyable>(
        _ function: StaticString, limit: Int, _ body: (Span<UInt8>) throws -> Outcome
    ) async throws -> Outcome? {
        try begin(function)
        defer { finish() }
        guard let line = try await lineEnd(limit: limit) else { return nil }
        defer { unread.removeFirst(line.used) }
        return try unread.withBytes { bytes in try body(bytes.extracting(0..<line.length)) }
    }

    private nonisolated(nonsending) func lineEnd(limit: Int) async throws -> LineScan.End? {
        var scan = LineScan(limit: limit)
        while true {
            if let end = try unread.withBytes({ bytes throws(UVReadError) in try scan.end(in: bytes) }) { return end }
            if try await fill() { continue }
            let count = unread.count
            if count > scan.limit { throw UVReadError.limitExceeded(limit: scan.limit) }
            return count == 0 ? nil : LineScan.End(length: count, used: count)
        }
    }

    /// The lines of the stream up to its end, with the default byte limit of `line(limit:)`.
    public var lines: Lines { lines(limit: 8192) }

    /// Returns the lines of the stream up to its end.
    ///
    /// - Parameter limit: the maximum number of bytes in a line, without the terminator.
    public func lines(limit: Int) -> Lines { Lines(reader: self, limit: limit) }

    /// A sequence of a stream's lines, which `line(limit:)` reads one by one.
    public struct Lines: AsyncSequence, Sendable {
        /// The type of the elements.
        public typealias Element = String

        let reader: UVBufferedReader
        let limit: Int

        /// Iterates over the lines.
        ///
        /// All iterators share the bytes of one reader.
        public struct AsyncIterator: AsyncIteratorProtocol {
            let reader: UVBufferedReader
            let limit: Int

            /// Returns the next line, or `nil` at the end of the stream.
            ///
            /// - Throws: the same errors as `line(limit:)`.
            public mutating func next(isolation actor: isolated (any Actor)?) async throws -> String? {
                try await reader.line(limit: limit)
            }
        }

        /// Returns an iterator over the lines.
        public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(reader: reader, limit: limit) }
    }
}
