// Headers of the PROXY protocol: no input traps, no cut makes a difference, and no more is consumed than a header may have.
import ProxyProtocol

/// What a parser says of bytes that come in pieces, and how many of them belong to the header.
private func parse(_ bytes: [UInt8], piece: (Int) -> Int) -> (ProxyHeaderParser.Progress, consumed: Int) {
    var parser = ProxyHeaderParser()
    var start = 0
    while start < bytes.count {
        let end = min(bytes.count, start + max(1, piece(start)))
        switch parser.receive(bytes[start..<end].span) {
        case .incomplete: start = end
        case .complete(let header, let consumed):
            precondition(consumed <= end - start, "consumed bytes that were not there")
            return (.complete(header, consumed: 0), start + consumed)
        case .malformed(let error): return (.malformed(error), 0)
        }
    }
    return (.incomplete, bytes.count)
}

/// The first byte says how the others are cut; the signature is put before them where it says so.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let first = input.first else { return 0 }
    let signature: [UInt8] = [13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10]
    let bytes = (first & 1 == 0 ? signature : []) + input.dropFirst()
    let whole = parse(bytes) { _ in .max / 2 }
    precondition(whole.consumed <= ProxyHeaderParser.maxLength || whole.0 == .incomplete, "consumed too much")
    precondition(whole.0 != .incomplete || bytes.count < ProxyHeaderParser.maxLength, "waits for ever")
    if case .malformed(let error) = whole.0 { precondition(!"\(error)".isEmpty) }
    let single = parse(bytes) { _ in 1 }
    let cut = parse(bytes) { $0 % 7 * Int(first >> 1) }
    precondition(single == whole && cut == whole, "the result depends on where the bytes are cut")
    return 0
}
