// Fuzzes the parser of HTTP requests. No input may trap, splitting an input must not change the result, and the parser
// must buffer at most `maxHeadLength` bytes.
import HTTPProtocol

/// Passes the bytes to a parser in pieces, and returns its last result.
private func parse(_ bytes: [UInt8], piece: (Int) -> Int) -> HTTPRequestParser.Progress {
    var parser = HTTPRequestParser()
    var last = HTTPRequestParser.Progress.incomplete
    var start = 0
    while start < bytes.count {
        let end = min(bytes.count, start + max(1, piece(start)))
        let progress = parser.receive(bytes[start..<end].span)
        precondition(last == .incomplete || progress == last, "a final result changed later")
        precondition(parser.bufferedByteCount <= HTTPRequestParser.maxHeadLength, "too many buffered bytes")
        last = progress
        start = end
    }
    return last
}

/// Parses one input, whose first byte decides how the other bytes are split and whether a request line precedes them.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzz(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    let input = Array(UnsafeBufferPointer(start: start, count: count))
    guard let first = input.first else { return 0 }
    let line = Array("GET /metrics HTTP/1.1\r\n".utf8)
    let bytes = (first & 1 == 0 ? line : []) + input.dropFirst()
    let whole = parse(bytes) { _ in .max / 2 }
    precondition(whole != .incomplete || bytes.count <= HTTPRequestParser.maxHeadLength, "waits for too many bytes")
    if case .complete(let request) = whole {
        precondition(request.path.hasPrefix("/") && request.path.utf8.allSatisfy { (0x21...0x7E).contains($0) })
        precondition(bytes.starts(with: "GET ".utf8) || bytes.starts(with: "HEAD ".utf8))
    }
    let single = parse(bytes) { _ in 1 }
    let cut = parse(bytes) { $0 % 7 * Int(first >> 1) }
    precondition(single == whole && cut == whole, "the result depends on how the bytes are split")
    return 0
}
