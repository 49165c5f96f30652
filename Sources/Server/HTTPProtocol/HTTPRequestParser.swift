/// Parses the head of one HTTP/1.0 or HTTP/1.1 request.
///
/// The parser is strict. It rejects folded lines, lines that do not end with CR LF, spaces before a colon, and requests
/// with content. It rejects a request at the first invalid byte, or at the end of the line that contains this byte.
/// Therefore the result does not depend on how the bytes are split into reads. The parser stores at most one line.
public struct HTTPRequestParser: Sendable {
    /// The maximum length of a request head in bytes, including the empty line at its end.
    public static let maxHeadLength = 8192
    /// The maximum length of the request line in bytes, without its CR LF.
    public static let maxRequestLineLength = 2048
    /// The maximum number of fields in a request.
    public static let maxFieldCount = 100

    /// The result of parsing the bytes received so far.
    public enum Progress: Hashable, Sendable {
        /// The head is not complete yet.
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

    /// Makes a parser for one request.
    public init() {}

    /// The number of buffered bytes, all of which belong to an incomplete line.
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
