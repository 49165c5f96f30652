/// A valid request without content.
public struct HTTPRequest: Hashable, Sendable {
    /// The supported methods.
    public enum Method: Hashable, Sendable {
        /// GET.
        case get
        /// HEAD: like GET, without the content.
        case head
    }

    /// The method.
    public let method: Method

    /// The path without host and query; escapes are not decoded.
    public let path: String
}
