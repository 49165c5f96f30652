/// The status of a response.
///
/// The status of an error response is also the reason for rejecting the request.
public enum HTTPStatus: Int, Error, Hashable, Sendable, CaseIterable {
    /// The request succeeded.
    case ok = 200
    /// The request is invalid.
    case badRequest = 400
    /// The path does not exist.
    case notFound = 404
    /// The method is neither GET nor HEAD.
    case methodNotAllowed = 405
    /// The request has content.
    case contentTooLarge = 413
    /// The request line is too long.
    case targetTooLong = 414
    /// The head is too long, or has too many fields.
    case fieldsTooLarge = 431
    /// The server is not ready or not alive.
    case serviceUnavailable = 503
    /// The version is neither 1.0 nor 1.1.
    case versionNotSupported = 505

    /// The reason phrase of the status line.
    public var reason: String {
        switch self {
        case .ok: "OK"
        case .badRequest: "Bad Request"
        case .notFound: "Not Found"
        case .methodNotAllowed: "Method Not Allowed"
        case .contentTooLarge: "Content Too Large"
        case .targetTooLong: "URI Too Long"
        case .fieldsTooLarge: "Request Header Fields Too Large"
        case .serviceUnavailable: "Service Unavailable"
        case .versionNotSupported: "HTTP Version Not Supported"
        }
    }
}
