/// Checks the fields in the head of a request, one line at a time.
///
/// Only the fields `Host`, `Content-Length` and `Transfer-Encoding` are evaluated. For all other fields, only the
/// syntax is checked.
struct HTTPFieldRules {
    /// Whether the field `Host` is required.
    var requiresHost = false

    private var count = 0
    private var hasHost = false
    private var hasContentLength = false

    /// Whether all required fields have been seen.
    var areComplete: Bool { hasHost || !requiresHost }

    /// Checks one line of the head; the line must not be empty.
    ///
    /// - Returns: the status with which to reject the request, or `nil` if the line is valid.
    mutating func add(_ line: [UInt8]) -> HTTPStatus? {
        count += 1
        if count > HTTPRequestParser.maxFieldCount { return .fieldsTooLarge }
        let name = line.prefix { $0 != HTTPCharacters.colon }
        // This check also rejects folded lines and spaces before the colon, because a name must not contain spaces.
        guard !name.isEmpty, name.count < line.count, name.allSatisfy(HTTPCharacters.isToken) else {
            return .badRequest
        }
        let value = HTTPCharacters.trimmed(line[(name.endIndex + 1)...])
        switch String(decoding: HTTPCharacters.lowercased(name), as: UTF8.self) {
        case "host": return addHost(value)
        case "content-length": return addContentLength(value)
        case "transfer-encoding": return .badRequest
        default: return nil
        }
    }

    private mutating func addHost(_ value: ArraySlice<UInt8>) -> HTTPStatus? {
        defer { hasHost = true }
        return hasHost || !value.allSatisfy(HTTPCharacters.isHost) ? .badRequest : nil
    }

    private mutating func addContentLength(_ value: ArraySlice<UInt8>) -> HTTPStatus? {
        defer { hasContentLength = true }
        guard !hasContentLength, !value.isEmpty, value.allSatisfy(HTTPCharacters.isDigit) else { return .badRequest }
        return value.allSatisfy { $0 == UInt8(ascii: "0") } ? nil : .contentTooLarge
    }
}
