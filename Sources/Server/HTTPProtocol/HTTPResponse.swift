/// An HTTP response: status and content.
public struct HTTPResponse: Hashable, Sendable {
    /// The status.
    public let status: HTTPStatus

    /// The media type of the content.
    public let contentType: String

    /// The content.
    public let content: [UInt8]

    /// Makes a response with text.
    public init(_ status: HTTPStatus, _ text: String, contentType: String = "text/plain; charset=utf-8") {
        self.status = status
        self.contentType = contentType
        content = Array(text.utf8)
    }

    /// The bytes to send, with the field `Connection: close`.
    ///
    /// - Parameters:
    ///   - date: the value of the field `Date`.
    ///   - withoutContent: whether to leave out the content, as the response to HEAD does.
    public func bytes(date: String, withoutContent: Bool = false) -> [UInt8] {
        var head = "HTTP/1.1 \(status.rawValue) \(status.reason)\r\n"
        head += "Date: \(date)\r\n"
        if status == .methodNotAllowed { head += "Allow: GET, HEAD\r\n" }
        head += "Content-Type: \(contentType)\r\n"
        head += "Content-Length: \(content.count)\r\n"
        head += "Cache-Control: no-store\r\n"
        head += "Connection: close\r\n\r\n"
        return Array(head.utf8) + (withoutContent ? [] : content)
    }
}
