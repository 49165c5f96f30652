import SocketAddresses
import Testing

@testable import ProxyProtocol

@Suite struct ProxyHeaderParserTests {
    private func parse(_ bytes: [UInt8]) -> ProxyHeaderParser.Progress {
        var parser = ProxyHeaderParser()
        return parser.take(bytes)
    }

    @Test func readsTCPOverIPv4() throws {
        let header = ProxyHeader(
            command: .proxy, source: try SocketAddress(parsing: "192.0.2.1:56324"),
            destination: try SocketAddress(parsing: "198.51.100.7:443"))
        #expect(parse(HeaderBytes.header(0x11, HeaderBytes.ipv4Addresses)) == .complete(header, consumed: 28))
    }

    @Test func readsTCPOverIPv6() throws {
        let header = ProxyHeader(
            command: .proxy, source: try SocketAddress(parsing: "[2001:db8::1]:4660"),
            destination: try SocketAddress(parsing: "[2001:db8::2]:9090"))
        #expect(parse(HeaderBytes.header(0x21, HeaderBytes.ipv6Addresses)) == .complete(header, consumed: 52))
    }

    @Test(
        arguments: [
            (0x20, 0x00, 0), (0x20, 0x00, 7), (0x20, 0x11, 3), (0x20, 0xFF, 40), (0x21, 0x00, 0), (0x21, 0x00, 5),
            (0x21, 0x12, 12), (0x21, 0x22, 36), (0x21, 0x31, 216), (0x21, 0x32, 216),
        ] as [(UInt8, UInt8, Int)])
    func skipsAddressesThatAreNotTCP(_ first: UInt8, _ family: UInt8, _ length: Int) {
        let header = ProxyHeader(command: first == 0x20 ? .local : .proxy, source: nil, destination: nil)
        let bytes = HeaderBytes.header(first, family, [UInt8](repeating: 0xEE, count: length))
        #expect(parse(bytes) == .complete(header, consumed: 16 + length))
    }

    @Test func consumesNoBytesOfTheClient() {
        let bytes = HeaderBytes.header(0x11, HeaderBytes.ipv4Addresses)
        var parser = ProxyHeaderParser()
        #expect(parser.take(bytes[..<20]) == .incomplete)
        guard case .complete(_, let consumed) = parser.take(bytes[20...] + Array("^abc$".utf8)) else {
            Issue.record("not complete")
            return
        }
        #expect(consumed == 8)
    }

    @Test func anEmptyInputChangesNothing() {
        var parser = ProxyHeaderParser()
        #expect(parser.take([UInt8]()) == .incomplete)
        #expect(parser.take(HeaderBytes.header(0x20, 0)) != .incomplete)
    }

    @Test func repeatsItsResultAndConsumesNothingMore() {
        var parser = ProxyHeaderParser()
        let local = ProxyHeader(command: .local, source: nil, destination: nil)
        #expect(parser.take(HeaderBytes.header(0x20, 0)) == .complete(local, consumed: 16))
        #expect(parser.take(HeaderBytes.header(0x21, 0)) == .complete(local, consumed: 0))
        var other = ProxyHeaderParser()
        #expect(other.take([0x2A]) == .malformed(.wrongSignature(offset: 0)))
        #expect(other.take(HeaderBytes.header(0x20, 0)) == .malformed(.wrongSignature(offset: 0)))
    }

    @Test func everyCommandAndFamilyIsAcceptedOrRejected() {
        for first in UInt8.min ... .max {
            for family in UInt8.min ... .max {
                let progress = parse(HeaderBytes.header(first, family, [UInt8](repeating: 0, count: 216)))
                let isKnown = [0x00, 0x11, 0x12, 0x21, 0x22, 0x31, 0x32].contains(family)
                switch (first >> 4, first & 0xF) {
                case (2, 0),
                    (2, 1) where isKnown:
                    #expect(Outcome.isComplete(progress), "\(first) \(family)")
                case (2, 1): #expect(progress == .malformed(.unknownFamily(family)))
                case (2, _): #expect(progress == .malformed(.unknownCommand(first & 0xF)))
                default: #expect(progress == .malformed(.unsupportedVersion(first >> 4)))
                }
            }
        }
    }
}

@Suite struct ProxyHeaderFaults {
    static let faults: [(bytes: [UInt8], error: ProxyHeaderError)] = [
        (Array("^abc$".utf8), .wrongSignature(offset: 0)),
        (Array("GET / HTTP/1.1\r\n".utf8), .wrongSignature(offset: 0)),
        (Array("POST / HTTP/1.1\r\n".utf8), .wrongSignature(offset: 1)),
        (Array("PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n".utf8), .versionOne),
        (Array(HeaderBytes.signature.dropLast()) + [0x0D], .wrongSignature(offset: 11)),
        (HeaderBytes.header(0x11, 0x11, HeaderBytes.ipv4Addresses), .unsupportedVersion(1)),
        (HeaderBytes.header(0x22, 0x11, HeaderBytes.ipv4Addresses), .unknownCommand(2)),
        (HeaderBytes.header(0x21, 0x41, HeaderBytes.ipv4Addresses), .unknownFamily(0x41)),
        (HeaderBytes.header(0x21, 0x10, HeaderBytes.ipv4Addresses), .unknownFamily(0x10)),
        (HeaderBytes.header(0x21, 0x11, claiming: 11), .shortAddresses(byteCount: 11, needed: 12)),
        (HeaderBytes.header(0x21, 0x21, claiming: 12), .shortAddresses(byteCount: 12, needed: 36)),
        (HeaderBytes.header(0x21, 0x31, claiming: 215), .shortAddresses(byteCount: 215, needed: 216)),
        (HeaderBytes.header(0x21, 0x11, claiming: 1025), .tooLong(byteCount: 1025)),
        (HeaderBytes.header(0x20, 0x00, claiming: 65535), .tooLong(byteCount: 65535)),
        (HeaderBytes.header(0x11, HeaderBytes.ipv4Addresses + [4]), .truncatedField(offset: 28)),
        (HeaderBytes.header(0x11, HeaderBytes.ipv4Addresses + [4, 0]), .truncatedField(offset: 28)),
        (HeaderBytes.header(0x11, HeaderBytes.ipv4Addresses + [4, 0, 1]), .truncatedField(offset: 28)),
        (
            HeaderBytes.header(
                0x11, HeaderBytes.ipv4Addresses + HeaderBytes.field(2, Array("a.example".utf8)) + [5, 0xFF, 0xFF, 0]),
            .truncatedField(offset: 40)
        ),
        (
            HeaderBytes.header(0x11, HeaderBytes.ipv4Addresses + HeaderBytes.field(3, [1, 2, 3])),
            .wrongChecksumLength(3)
        ),
        (
            HeaderBytes.header(
                0x11,
                HeaderBytes.ipv4Addresses + HeaderBytes.field(3, [1, 2, 3, 4]) + HeaderBytes.field(3, [1, 2, 3, 4])),
            .repeatedChecksum
        ),
    ]

    @Test(arguments: faults.indices) func errorsAreFoundAtEveryCut(_ index: Int) {
        let (bytes, error) = Self.faults[index]
        for cut in 0...bytes.count {
            #expect(Outcome(of: bytes, cutAt: [cut]).progress == .malformed(error), "cut at \(cut)")
        }
        #expect(Outcome(of: bytes, cutAt: Array(bytes.indices)).progress == .malformed(error))
    }

    @Test func theErrorForVersionOneHasAdvice() {
        #expect("\(ProxyHeaderError.versionOne)".contains("send-proxy-v2"))
        #expect("\(ProxyHeaderError.unknownFamily(0x04))".contains("0x04"))
    }
}

extension Outcome {
    static func isComplete(_ progress: ProxyHeaderParser.Progress) -> Bool {
        if case .complete = progress { true } else { false }
    }
}
