import HTTPProtocol
import Testing

@Suite struct HTTPResponseTests {
    @Test func aResponseHasItsDateAndClosesTheConnection() {
        let bytes = HTTPResponse(.ok, "ok\n").bytes(date: "Sun, 06 Nov 1994 08:49:37 GMT")
        #expect(
            String(decoding: bytes, as: UTF8.self) == """
                HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain; charset=utf-8\r\n\
                Content-Length: 3\r\nCache-Control: no-store\r\nConnection: close\r\n\r\nok\n
                """)
    }

    @Test func aResponseWithoutContentHasTheSameHead() {
        let response = HTTPResponse(.serviceUnavailable, "draining\n")
        let whole = response.bytes(date: "")
        #expect(response.bytes(date: "", withoutContent: true) + Array("draining\n".utf8) == whole)
    }

    @Test func aRejectedMethodListsTheAllowedOnes() {
        let text = String(decoding: HTTPResponse(.methodNotAllowed, "").bytes(date: ""), as: UTF8.self)
        #expect(text.hasPrefix("HTTP/1.1 405 Method Not Allowed\r\n"))
        #expect(text.contains("\r\nAllow: GET, HEAD\r\n"))
    }
}
