/// An HTTP response, with its status and its content.
public struct HTTPResponse: Hashable, Sendable {
    /// The status of the response.
    public let status: HTTPStatus

    /// The media type of the content.
    public let contentType: String

    /// The bytes of the content.
    public let content: [UInt8]

    /// Makes a response whose content is text.
    public init(_ status: HTTPStatus, _ text: String, contentType: String = "text/plain; charset=utf-8") {
        self.status = status
        self.contentType = contentType
        content = Array(text.utf8)
    }

    /// Returns the bytes to send, which include the field `Connection: close`.
    ///
    /// - Parameters:
    ///   - date: the value of the field `Date`.
    ///   - withoutContent: whether to leave out the content. A response to HEAD must not have content.
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
