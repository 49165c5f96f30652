/// The status of an answer, as far as this project gives them.
public enum HTTPStatus: Int, Hashable, Sendable, CaseIterable {
    /// Here it is.
    case ok = 200
    /// The request is none.
    case badRequest = 400
    /// There is nothing at this path.
    case notFound = 404
    /// The method is neither GET nor HEAD.
    case methodNotAllowed = 405
    /// The request has content.
    case contentTooLarge = 413
    /// The request line is too long.
    case targetTooLong = 414
    /// The head is too long, or has too many fields.
    case fieldsTooLarge = 431
    /// Not now.
    case serviceUnavailable = 503
    /// The version is neither 1.0 nor 1.1.
    case versionNotSupported = 505

    /// What the status line says behind the number.
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
