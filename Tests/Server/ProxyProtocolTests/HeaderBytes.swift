import ProxyProtocol

/// Functions that create the bytes of valid and invalid headers.
enum HeaderBytes {
    static let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10] + Array("QUIT\n".utf8)

    /// The addresses of a connection from 192.0.2.1:56324 to 198.51.100.7:443.
    static let ipv4Addresses: [UInt8] = [192, 0, 2, 1, 198, 51, 100, 7, 0xDC, 0x04, 0x01, 0xBB]

    /// The addresses of a connection from [2001:db8::1]:4660 to [2001:db8::2]:9090.
    static let ipv6Addresses: [UInt8] =
        [0x20, 0x01, 0x0D, 0xB8] + [UInt8](repeating: 0, count: 11) + [1, 0x20, 0x01, 0x0D, 0xB8]
        + [UInt8](repeating: 0, count: 11) + [2, 0x12, 0x34, 0x23, 0x82]

    /// Returns a header with the command PROXY that declares the true length of its block.
    static func header(_ family: UInt8, _ block: [UInt8]) -> [UInt8] { header(0x21, family, block) }

    static func header(_ versionAndCommand: UInt8, _ family: UInt8, _ block: [UInt8] = []) -> [UInt8] {
        header(versionAndCommand, family, claiming: block.count) + block
    }

    /// Returns the part of a header that precedes the block and declares the block's length.
    static func header(_ versionAndCommand: UInt8, _ family: UInt8, claiming length: Int) -> [UInt8] {
        signature + [versionAndCommand, family, UInt8(length >> 8), UInt8(length & 0xFF)]
    }

    static func field(_ type: UInt8, _ value: [UInt8]) -> [UInt8] {
        [type, UInt8(value.count >> 8), UInt8(value.count & 0xFF)] + value
    }
}

extension ProxyHeaderParser {
    mutating func take(_ bytes: some Sequence<UInt8>) -> Progress {
        let bytes = Array(bytes)
        return receive(bytes.span)
    }
}

/// The result of parsing bytes in pieces.
struct Outcome: Equatable {
    var progress: ProxyHeaderParser.Progress
    /// The number of bytes of the header, if it is complete.
    var consumed: Int

    /// Parses bytes in pieces that end at the given offsets, which must be in ascending order.
    init(of bytes: [UInt8], cutAt cuts: [Int] = []) {
        var parser = ProxyHeaderParser()
        var start = 0
        progress = .incomplete
        consumed = 0
        for end in cuts + [bytes.count] {
            switch parser.take(bytes[start..<end]) {
            case .incomplete:
                start = end
                continue
            case .complete(let header, let count):
                consumed = start + count
                progress = .complete(header, consumed: 0)
            case .malformed(let error): progress = .malformed(error)
            }
            return
        }
    }
}
