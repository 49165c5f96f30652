/// Reads the head of one request of HTTP/1.0 or 1.1, which comes in pieces of any size.
///
/// It is strict: what two readers could understand in two ways is refused. Lines end with CR LF; no line is folded; no
/// space stands before a colon; a request has no content. What is wrong is told at the byte that makes it wrong, or at
/// the end of its line, so that the outcome does not depend on where the bytes are cut. At most one line is held.
public struct HTTPRequestParser: Sendable {
    /// The most bytes that a head may have, the empty line at its end included.
    public static let maxHeadLength = 8192
    /// The most bytes that the request line may have, without its end.
    public static let maxRequestLineLength = 2048
    /// The most fields that a head may have.
    public static let maxFieldCount = 100

    /// How far the request has come.
    public enum Progress: Hashable, Sendable {
        /// The head is not complete.
        case incomplete
        /// The head is complete. What comes behind it is not looked at.
        case complete(HTTPRequest)
        /// It is no request that can be answered.
        case refused(HTTPStatus)
    }

    private var line: [UInt8] = []
    private var receivedCount = 0
    private var endsWithReturn = false
    private var request: HTTPRequest?
    private var fields = HTTPFieldRules()
    private var progress = Progress.incomplete

    /// Makes a parser that has received nothing.
    public init() {}

    /// How many bytes are held: those of the line that has begun.
    public var heldByteCount: Int { line.count }

    /// Receives the next bytes.
    ///
    /// - Returns: how far the request has come; once it is complete or refused, that does not change any more.
    public mutating func receive(_ bytes: Span<UInt8>) -> Progress {
        for index in bytes.indices {
            guard progress == .incomplete else { break }
            progress = receive(bytes[index])
        }
        return progress
    }

    private mutating func receive(_ byte: UInt8) -> Progress {
        receivedCount += 1
        if receivedCount > Self.maxHeadLength { return .refused(.fieldsTooLarge) }
        if endsWithReturn {
            guard byte == HTTPCharacters.lineFeed else { return .refused(.badRequest) }
            endsWithReturn = false
            defer { line.removeAll(keepingCapacity: true) }
            return lineEnded()
        }
        if byte == HTTPCharacters.carriageReturn {
            endsWithReturn = true
            return .incomplete
        }
        guard HTTPCharacters.isValue(byte) else { return .refused(.badRequest) }
        line.append(byte)
        let isTooLong = request == nil && line.count > Self.maxRequestLineLength
        return isTooLong ? .refused(.targetTooLong) : .incomplete
    }

    private mutating func lineEnded() -> Progress {
        guard let request else { return requestLineEnded() }
        guard line.isEmpty else { return fields.add(line).map { .refused($0) } ?? .incomplete }
        return fields.areComplete ? .complete(request) : .refused(.badRequest)
    }

    private mutating func requestLineEnded() -> Progress {
        switch HTTPRequestLine.parse(line) {
        case .success(let read):
            request = read.request
            fields.requiresHost = read.requiresHost
            return .incomplete
        case .failure(let refusal): return .refused(refusal.status)
        }
    }
}
