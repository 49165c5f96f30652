/// A valid request without content.
public struct HTTPRequest: Hashable, Sendable {
    /// The supported methods.
    public enum Method: Hashable, Sendable {
        /// GET.
        case get
        /// HEAD, which is like GET except that the response has no content.
        case head
    }

    /// The method of the request.
    public let method: Method

    /// The path, without the host and the query.
    ///
    /// Percent escapes are not decoded.
    public let path: String
}
