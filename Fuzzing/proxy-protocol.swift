// Fuzzes the parser of PROXY protocol headers. No input may trap, splitting an input must not change the result, and
// the parser must consume at most `maxLength` bytes.
import ProxyProtocol

/// Passes the bytes to a parser in pieces, and returns its last result and the length of the header.
private func parse(_ bytes: [UInt8], piece: (Int) -> Int) -> (ProxyHeaderParser.Progress, consumed: Int) {
    var parser = ProxyHeaderParser()
    var start = 0
    while start < bytes.count {
        let end = min(bytes.count, start + max(1, piece(start)))
        switch parser.receive(bytes[start..<end].span) {
        case .incomplete: start = end
        case .complete(let header, let consumed):
            precondition(consumed <= end - start, "the parser consumed more bytes than it received")
            return (.complete(header, consumed: 0), start + consumed)
        case .malformed(let error): return (.malformed(error), 0)
        }
    }
    return (.incomplete, bytes.count)
}

/// Whether a header ends at its declared length.
///
/// The parser checks the fields after the addresses only if the command is `proxy` and the address family is known. In
/// such a header, the last field must also end at the declared length.
private func isFilled(_ bytes: [UInt8], _ header: ProxyHeader, to end: Int) -> Bool {
    guard end == 16 + Int(bytes[14]) << 8 + Int(bytes[15]) else { return false }
    guard header.command == .proxy, bytes[13] != 0 else { return true }
    var offset = 16 + [0, 12, 36, 216][Int(bytes[13] >> 4)]
    while offset + 3 <= end { offset += 3 + Int(bytes[offset + 1]) << 8 + Int(bytes[offset + 2]) }
    return offset == end
}

/// Parses one input, whose first byte decides how the other bytes are split and whether the signature precedes them.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let first = input.first else { return 0 }
    let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10]
    let bytes = (first & 1 == 0 ? signature : []) + input.dropFirst()
    let whole = parse(bytes) { _ in .max / 2 }
    precondition(whole.consumed <= ProxyHeaderParser.maxLength || whole.0 == .incomplete, "consumed too much")
    precondition(whole.0 != .incomplete || bytes.count < ProxyHeaderParser.maxLength, "waits for too many bytes")
    switch whole.0 {
    case .incomplete: break
    case .complete(let header, _):
        precondition(isFilled(bytes, header, to: whole.consumed), "the fields of an accepted header do not fill it")
    case .malformed(let error): precondition(!"\(error)".isEmpty)
    }
    let single = parse(bytes) { _ in 1 }
    let cut = parse(bytes) { $0 % 7 * Int(first >> 1) }
    precondition(single == whole && cut == whole, "the result depends on how the bytes are split")
    return 0
}
