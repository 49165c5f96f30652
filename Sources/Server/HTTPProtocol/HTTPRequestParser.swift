/// Parses the head of one HTTP/1.0 or HTTP/1.1 request.
///
/// The parser is strict: it rejects folded lines, lines without CR LF, spaces before a colon, and content. It rejects a
/// request at its first invalid byte or at the end of that byte's line, so the result does not depend on how the bytes are
/// split. It keeps at most one line.
public struct HTTPRequestParser: Sendable {
    /// The limit on the length of a head in bytes, including the empty line at its end.
    public static let maxHeadLength = 8192
    /// The limit on the length of the request line in bytes, without its CR LF.
    public static let maxRequestLineLength = 2048
    /// The limit on the number of fields.
    public static let maxFieldCount = 100

    /// The result for the bytes received so far.
    public enum Progress: Hashable, Sendable {
        /// The head is not complete.
        case incomplete
        /// The head is complete. Later bytes are ignored.
        case complete(HTTPRequest)
        /// The request is invalid or not supported.
        case rejected(HTTPStatus)
    }

    private var line: [UInt8] = []
    private var receivedCount = 0
    private var endsWithReturn = false
    private var request: HTTPRequest?
    private var fields = HTTPFieldRules()
    private var progress = Progress.incomplete

    /// Makes a parser.
    public init() {}

    /// The number of buffered bytes, those of an incomplete line.
    public var bufferedByteCount: Int { line.count }

    /// Parses the bytes received since the last call.
    ///
    /// - Returns: the result, which does not change after `complete` or `rejected`.
    public mutating func receive(_ bytes: Span<UInt8>) -> Progress {
        for index in bytes.indices {
            guard progress == .incomplete else { break }
            progress = receive(bytes[index])
        }
        return progress
    }

    private mutating func receive(_ byte: UInt8) -> Progress {
        receivedCount += 1
        if receivedCount > Self.maxHeadLength { return .rejected(.fieldsTooLarge) }
        if endsWithReturn {
            guard byte == HTTPCharacters.lineFeed else { return .rejected(.badRequest) }
            endsWithReturn = false
            defer { line.removeAll(keepingCapacity: true) }
            return lineEnded()
        }
        if byte == HTTPCharacters.carriageReturn {
            endsWithReturn = true
            return .incomplete
        }
        guard HTTPCharacters.isValue(byte) else { return .rejected(.badRequest) }
        line.append(byte)
        let isTooLong = request == nil && line.count > Self.maxRequestLineLength
        return isTooLong ? .rejected(.targetTooLong) : .incomplete
    }

    private mutating func lineEnded() -> Progress {
        guard let request else { return requestLineEnded() }
        guard line.isEmpty else { return fields.add(line).map { .rejected($0) } ?? .incomplete }
        return fields.areComplete ? .complete(request) : .rejected(.badRequest)
    }

    private mutating func requestLineEnded() -> Progress {
        do throws(HTTPStatus) {
            let line = try HTTPRequestLine(line)
            request = line.request
            fields.requiresHost = line.requiresHost
            return .incomplete
        } catch { return .rejected(error) }
    }
}
