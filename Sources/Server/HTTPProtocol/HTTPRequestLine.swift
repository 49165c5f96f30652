/// The first line of a request, for example `GET /path HTTP/1.1`.
struct HTTPRequestLine {
    let request: HTTPRequest
    /// Whether the version requires the field `Host`; only HTTP/1.1 does.
    let requiresHost: Bool

    /// Parses a line.
    ///
    /// The line must not contain control characters.
    ///
    /// - Throws: the status with which to reject the request. The initializer checks the syntax, then the version, then
    ///   the method, and finally the form of the target. The first check that fails determines the status.
    init(_ line: [UInt8]) throws(HTTPStatus) {
        let parts = line.split(separator: HTTPCharacters.space, omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[0].isEmpty, parts[0].allSatisfy(HTTPCharacters.isToken),
            parts[1].allSatisfy(HTTPCharacters.isTarget), let version = Self.version(parts[2])
        else { throw .badRequest }
        guard version.major == 1, version.minor <= 1 else { throw .versionNotSupported }
        guard let method = Self.method(parts[0]) else { throw .methodNotAllowed }
        guard let path = Self.path(parts[1]) else { throw .badRequest }
        request = HTTPRequest(method: method, path: path)
        requiresHost = version.minor == 1
    }

    private static func version(_ text: ArraySlice<UInt8>) -> (major: UInt8, minor: UInt8)? {
        let bytes = Array(text)
        guard bytes.count == 8, bytes.starts(with: "HTTP/".utf8), bytes[6] == UInt8(ascii: "."),
            HTTPCharacters.isDigit(bytes[5]), HTTPCharacters.isDigit(bytes[7])
        else { return nil }
        return (bytes[5] - UInt8(ascii: "0"), bytes[7] - UInt8(ascii: "0"))
    }

    private static func method(_ name: ArraySlice<UInt8>) -> HTTPRequest.Method? {
        if name.elementsEqual("GET".utf8) { return .get }
        return name.elementsEqual("HEAD".utf8) ? .head : nil
    }

    /// Returns the path of a request target, or `nil` if the target is neither a path nor an absolute URL.
    private static func path(_ target: ArraySlice<UInt8>) -> String? {
        var rest = target
        let scheme = "http://".utf8
        if HTTPCharacters.lowercased(rest.prefix(scheme.count)).elementsEqual(scheme) {
            rest = rest.dropFirst(scheme.count)
            let host = rest.prefix { $0 != UInt8(ascii: "/") && $0 != UInt8(ascii: "?") }
            guard !host.isEmpty, host.allSatisfy(HTTPCharacters.isHost) else { return nil }
            rest = rest.dropFirst(host.count)
            if rest.first != UInt8(ascii: "/") { return "/" }
        }
        guard rest.first == UInt8(ascii: "/") else { return nil }
        return String(decoding: rest.prefix { $0 != UInt8(ascii: "?") }, as: UTF8.self)
    }
}
