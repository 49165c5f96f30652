/// An answer: its status and its content.
public struct HTTPAnswer: Hashable, Sendable {
    /// How it went.
    public let status: HTTPStatus

    /// What kind of content it has.
    public let contentType: String

    /// The content.
    public let content: [UInt8]

    /// Makes an answer of a content type, which is plain text if nothing else is said.
    public init(_ status: HTTPStatus, _ text: String, contentType: String = "text/plain; charset=utf-8") {
        self.status = status
        self.contentType = contentType
        content = Array(text.utf8)
    }

    /// The bytes to send: the head, and the content unless it was only the head that was asked for.
    ///
    /// The answer says that the connection ends with it.
    ///
    /// - Parameter secondsSince1970: the time of day, for the field `Date`.
    public func bytes(secondsSince1970: Int64, withoutContent: Bool = false) -> [UInt8] {
        var head = "HTTP/1.1 \(status.rawValue) \(status.reason)\r\n"
        head += "Date: \(HTTPDate.text(secondsSince1970: secondsSince1970))\r\n"
        if status == .methodNotAllowed { head += "Allow: GET, HEAD\r\n" }
        head += "Content-Type: \(contentType)\r\n"
        head += "Content-Length: \(content.count)\r\n"
        head += "Cache-Control: no-store\r\n"
        head += "Connection: close\r\n\r\n"
        return Array(head.utf8) + (withoutContent ? [] : content)
    }
}
