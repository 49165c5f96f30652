// PROXY protocol headers: no input traps, splitting makes no difference, and at most the limit of a header is consumed.
import ProxyProtocol

/// The result of a parser for bytes in pieces, and the number of bytes that belong to the header.
private func parse(_ bytes: [UInt8], piece: (Int) -> Int) -> (ProxyHeaderParser.Progress, consumed: Int) {
    var parser = ProxyHeaderParser()
    var start = 0
    while start < bytes.count {
        let end = min(bytes.count, start + max(1, piece(start)))
        switch parser.receive(bytes[start..<end].span) {
        case .incomplete: start = end
        case .complete(let header, let consumed):
            precondition(consumed <= end - start, "consumed more bytes than there are")
            return (.complete(header, consumed: 0), start + consumed)
        case .malformed(let error): return (.malformed(error), 0)
        }
    }
    return (.incomplete, bytes.count)
}

/// Whether a header ends at its declared length, and so does the last of its fields if they are checked.
private func isFilled(_ bytes: [UInt8], _ header: ProxyHeader, to end: Int) -> Bool {
    guard end == 16 + Int(bytes[14]) << 8 + Int(bytes[15]) else { return false }
    guard header.command == .proxy, bytes[13] != 0 else { return true }
    var offset = 16 + [0, 12, 36, 216][Int(bytes[13] >> 4)]
    while offset + 3 <= end { offset += 3 + Int(bytes[offset + 1]) << 8 + Int(bytes[offset + 2]) }
    return offset == end
}

/// The first byte decides how the others are split, and whether the signature precedes them.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let first = input.first else { return 0 }
    let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10]
    let bytes = (first & 1 == 0 ? signature : []) + input.dropFirst()
    let whole = parse(bytes) { _ in .max / 2 }
    precondition(whole.consumed <= ProxyHeaderParser.maxLength || whole.0 == .incomplete, "consumed too much")
    precondition(whole.0 != .incomplete || bytes.count < ProxyHeaderParser.maxLength, "waits forever")
    switch whole.0 {
    case .incomplete: break
    case .complete(let header, _):
        precondition(isFilled(bytes, header, to: whole.consumed), "accepted fields that do not fill the header")
    case .malformed(let error): precondition(!"\(error)".isEmpty)
    }
    let single = parse(bytes) { _ in 1 }
    let cut = parse(bytes) { $0 % 7 * Int(first >> 1) }
    precondition(single == whole && cut == whole, "the result depends on how the bytes are split")
    return 0
}
