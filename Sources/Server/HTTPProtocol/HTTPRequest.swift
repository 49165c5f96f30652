/// A request that is well formed, and asks for something without sending anything.
public struct HTTPRequest: Hashable, Sendable {
    /// What a request may do here.
    public enum Method: Hashable, Sendable {
        /// Give me what is there.
        case get
        /// Give me all but the content.
        case head
    }

    /// What it does.
    public let method: Method

    /// What it asks for, as it was sent: without host and query, and with escapes as they are.
    public let path: String

    /// Makes a request.
    public init(method: Method, path: String) {
        self.method = method
        self.path = path
    }
}
