/// The first line of a request: `GET /path HTTP/1.1`.
struct HTTPRequestLine {
    let request: HTTPRequest
    /// Whether the version wants the field `Host`: 1.1 does.
    let requiresHost: Bool

    /// Why a line is none.
    struct Refusal: Error {
        let status: HTTPStatus
    }

    /// Reads the line, which has no control characters; it says what is wrong with its form before what is wrong with its
    /// version, and that before what is wrong with its method.
    static func parse(_ line: [UInt8]) -> Result<HTTPRequestLine, Refusal> {
        let parts = line.split(separator: HTTPCharacters.space, omittingEmptySubsequences: false)
        guard parts.count == 3, !parts[0].isEmpty, parts[0].allSatisfy(HTTPCharacters.isToken),
            parts[1].allSatisfy(HTTPCharacters.isTarget), let version = version(parts[2])
        else { return .failure(Refusal(status: .badRequest)) }
        guard version.major == 1, version.minor <= 1 else { return .failure(Refusal(status: .versionNotSupported)) }
        guard let method = method(parts[0]) else { return .failure(Refusal(status: .methodNotAllowed)) }
        guard let path = path(parts[1]) else { return .failure(Refusal(status: .badRequest)) }
        return .success(
            HTTPRequestLine(request: HTTPRequest(method: method, path: path), requiresHost: version.minor == 1))
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

    /// The path of a target, which is a path itself, or a whole URL.
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
