@testable import HTTPProtocol
import Testing

@Suite struct HTTPAnswerTests {
    @Test func anAnswerSaysWhenItWasGivenAndThatItIsTheLast() {
        let bytes = HTTPAnswer(.ok, "ok\n").bytes(secondsSince1970: 784_111_777)
        #expect(
            String(decoding: bytes, as: UTF8.self) == """
                HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: text/plain; charset=utf-8\r\n\
                Content-Length: 3\r\nCache-Control: no-store\r\nConnection: close\r\n\r\nok\n
                """)
    }

    @Test func withoutContentTheHeadIsTheSame() {
        let answer = HTTPAnswer(.serviceUnavailable, "draining\n")
        let whole = answer.bytes(secondsSince1970: 0)
        #expect(answer.bytes(secondsSince1970: 0, withoutContent: true) + Array("draining\n".utf8) == whole)
    }

    @Test func aMethodThatIsNotAllowedIsToldWhichAre() {
        let text = String(decoding: HTTPAnswer(.methodNotAllowed, "").bytes(secondsSince1970: 0), as: UTF8.self)
        #expect(text.hasPrefix("HTTP/1.1 405 Method Not Allowed\r\n"))
        #expect(text.contains("\r\nAllow: GET, HEAD\r\n"))
    }

    @Test(arguments: [
        (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (951_782_399, "Mon, 28 Feb 2000 23:59:59 GMT"),
        (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT"),
        (1_709_210_096, "Thu, 29 Feb 2024 12:34:56 GMT"), (1_767_225_599, "Wed, 31 Dec 2025 23:59:59 GMT"),
        (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"), (-5, "Thu, 01 Jan 1970 00:00:00 GMT"),
        (Int64.max, "Fri, 31 Dec 9999 23:59:59 GMT"),
    ]) func aDateIsWrittenAsHTTPWantsIt(_ seconds: Int64, _ text: String) {
        #expect(HTTPDate.text(secondsSince1970: seconds) == text)
    }
}
