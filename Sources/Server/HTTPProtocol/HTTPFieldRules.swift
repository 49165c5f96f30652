/// Checks the fields of a request's head line by line.
///
/// It evaluates only fields for the host and for the length of the content.
struct HTTPFieldRules {
    /// Whether the field `Host` is required.
    var requiresHost = false

    private var count = 0
    private var hasHost = false
    private var hasContentLength = false

    /// Whether all required fields are present.
    var areComplete: Bool { hasHost || !requiresHost }

    /// Checks a line that is not empty.
    ///
    /// - Returns: the status with which to reject the request, or `nil` if the line is valid.
    mutating func add(_ line: [UInt8]) -> HTTPStatus? {
        count += 1
        if count > HTTPRequestParser.maxFieldCount { return .fieldsTooLarge }
        let name = line.prefix { $0 != HTTPCharacters.colon }
        // A space in the name is a folded line or precedes the colon.
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
