@testable import HTTPProtocol
import Testing

@Suite struct HTTPRequestParserTests {
    private let head = "Host: a\r\n\r\n"

    @Test func acceptsTheRequestsOfPrometheusAndCurl() {
        let scrape = """
            GET /metrics HTTP/1.1\r\nHost: 127.0.0.1:9100\r\nUser-Agent: Prometheus/2.42.0\r\n\
            Accept: application/openmetrics-text;version=1.0.0;q=0.75,*/*;q=0.1\r\nAccept-Encoding: gzip\r\n\
            X-Prometheus-Scrape-Timeout-Seconds: 10\r\n\r\n
            """
        #expect(parse(scrape) == .complete(HTTPRequest(method: .get, path: "/metrics")))
        #expect(
            parse("HEAD / HTTP/1.0\r\nContent-Length:\t0 \r\n\r\n") == .complete(HTTPRequest(method: .head, path: "/")))
    }

    @Test(arguments: [
        ("/a?b=/c", "/a"), ("/", "/"), ("/?", "/"), ("http://h:1/p?q", "/p"), ("HTTP://[::1]", "/"),
        ("http://h?q", "/"),
        ("/%6d", "/%6d"), ("//x", "//x"),
    ]) func aTargetIsAPathOrAURL(_ target: String, _ path: String) {
        #expect(parse("GET \(target) HTTP/1.1\r\n\(head)") == .complete(HTTPRequest(method: .get, path: path)))
    }

    @Test(arguments: [
        "\r\n", "GET /\r\n", "GET  / HTTP/1.1\r\n", "GET / HTTP/1.1 \r\n", " GET / HTTP/1.1\r\n", "GET / HTTP/11\r\n",
        "GET / http/1.1\r\n", "GET / HTTP/1.x\r\n", "GET /\t HTTP/1.1\r\n", "GET / HTTP/1.1\n", "GET / HTTP/1.1\rX",
        "GET /\u{0} HTTP/1.1\r\n", "GET /ä HTTP/1.1\r\n", "GET /#a HTTP/1.1\r\n", "GET a HTTP/1.1\r\n",
        "GET * HTTP/1.1\r\n", "GET http:/// HTTP/1.1\r\n", "GET http://a@b/ HTTP/1.1\r\n", "G(T / HTTP/1.1\r\n",
        "\u{16}\u{3}\u{1}", "GET / HTTP/1.1\r\r\n", "GET / HTTP/ 1.1\r\n", "GET  HTTP/1.1\r\n",
    ]) func anInvalidRequestLineIsRejected(_ line: String) {
        #expect(parse(line) == .rejected(.badRequest))
    }

    @Test(arguments: [
        "Host : a\r\n", " Host: a\r\n", "Host: a\r\n folded\r\n", "Host: a\r\n\tfolded\r\n", "Host\r\n", ": a\r\n",
        "Host: a\n", "X: \u{0}", "X: \u{7F}", "X: a\u{1B}", "X: a\rb", "X(: a\r\n", "X\u{E4}: a\r\n",
        "Host: a\r\nHost: a\r\n", "Host: a b\r\n", "Host: a/b\r\n", "Host: u@a\r\n", "Content-Length: \r\n",
        "Content-Length: +0\r\n", "Content-Length: 0x1\r\n", "Content-Length: 0, 0\r\n",
        "Content-Length: 0\r\nContent-Length: 0\r\n", "Transfer-Encoding: chunked\r\n",
        "TRANSFER-encoding: identity\r\n",
    ]) func anAmbiguousFieldIsRejected(_ field: String) {
        #expect(parse("GET / HTTP/1.1\r\n\(field)") == .rejected(.badRequest))
    }

    @Test func version11NeedsAHostAnd10DoesNot() {
        #expect(parse("GET / HTTP/1.1\r\n\r\n") == .rejected(.badRequest))
        #expect(parse("GET / HTTP/1.1\r\nhOsT:\r\n\r\n") == .complete(HTTPRequest(method: .get, path: "/")))
        #expect(parse("GET / HTTP/1.0\r\n\r\n") == .complete(HTTPRequest(method: .get, path: "/")))
    }

    @Test(arguments: ["HTTP/0.9", "HTTP/1.2", "HTTP/2.0", "HTTP/3.0"]) func otherVersionsAreRejected(_ version: String)
    {
        #expect(parse("GET / \(version)\r\n") == .rejected(.versionNotSupported))
    }

    @Test(arguments: ["POST", "get", "Get", "PUT", "TRACE", "CONNECT", "X", "GETT"])
    func otherMethodsAreRejected(_ method: String) {
        #expect(parse("\(method) / HTTP/1.1\r\n") == .rejected(.methodNotAllowed))
    }

    @Test(arguments: ["1", "00010", "99999999999999999999999"]) func contentIsRejected(_ length: String) {
        #expect(parse("GET / HTTP/1.1\r\nContent-Length: \(length)\r\n") == .rejected(.contentTooLarge))
    }

    @Test func eachLimitIsExact() {
        let limit = HTTPRequestParser.maxRequestLineLength
        let path = "/" + String(repeating: "a", count: limit - "GET / HTTP/1.0".utf8.count)
        #expect(parse("GET \(path) HTTP/1.0\r\n\r\n") == .complete(HTTPRequest(method: .get, path: path)))
        #expect(parse("GET \(path)a HTTP/1.0") == .rejected(.targetTooLong))

        let fields = String(repeating: "a:\r\n", count: HTTPRequestParser.maxFieldCount)
        #expect(parse("GET / HTTP/1.0\r\n\(fields)\r\n") == .complete(HTTPRequest(method: .get, path: "/")))
        #expect(parse("GET / HTTP/1.0\r\n\(fields)a:\r\n") == .rejected(.fieldsTooLarge))

        let around = "GET / HTTP/1.0\r\na:\r\n\r\n".utf8.count
        let value = String(repeating: "b", count: HTTPRequestParser.maxHeadLength - around)
        #expect(parse("GET / HTTP/1.0\r\na:\(value)\r\n\r\n") == .complete(HTTPRequest(method: .get, path: "/")))
        #expect(parse("GET / HTTP/1.0\r\na:\(value)b\r\n\r\n") == .rejected(.fieldsTooLarge))
    }

    @Test func theResultDoesNotChangeAfterTheEnd() {
        var parser = HTTPRequestParser()
        let request = Array("GET / HTTP/1.0\r\n\r\n".utf8)
        #expect(parser.receive(request.span) == .complete(HTTPRequest(method: .get, path: "/")))
        #expect(parser.receive(Array("nonsense\n".utf8).span) == .complete(HTTPRequest(method: .get, path: "/")))
        #expect(parser.bufferedByteCount == 0)
    }

    @Test func anEndlessHeadIsBufferedUpToItsLimit() {
        var parser = HTTPRequestParser()
        _ = parser.receive(Array("GET / HTTP/1.0\r\n".utf8).span)
        let part = [UInt8](repeating: UInt8(ascii: "a"), count: 1000)
        for _ in 0..<100 {
            _ = parser.receive(part.span)
            #expect(parser.bufferedByteCount <= HTTPRequestParser.maxHeadLength)
        }
        #expect(parser.receive(part.span) == .rejected(.fieldsTooLarge))
    }

    @Test(arguments: 1...20) func theResultDoesNotDependOnHowBytesAreSplit(_ seed: UInt64) {
        var numbers = SeededNumbers(seed: seed &* 0x9E37_79B9_7F4A_7C15)
        let parts = [
            "GET", "HEAD", "POST", " ", "  ", "/", "/metrics", " HTTP/1.1", " HTTP/1.0", "HTTP/2.0", "\r\n", "\n", "\r",
            "Host",
            ": a", ":", "Content-Length: 0", "Content-Length: 5", "\t", "\u{0}", "GET / HTTP/1.1\r\nHost: a\r\n",
        ].map { Array($0.utf8) }
        for _ in 0..<200 {
            let isLikely = numbers.next(below: 2) == 0
            var bytes = isLikely ? Array("GET / HTTP/1.1\r\n".utf8) : []
            for _ in 0..<numbers.next(below: 12) { bytes += parts[numbers.next(below: parts.count)] }
            let whole = parse(bytes)
            #expect(parse(bytes) { _ in 1 } == whole, "\(String(decoding: bytes, as: UTF8.self).debugDescription)")
            #expect(parse(bytes) { _ in numbers.next(below: 9) } == whole)
        }
    }
}
