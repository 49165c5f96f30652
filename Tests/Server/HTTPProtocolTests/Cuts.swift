@testable import HTTPProtocol

/// A seeded generator of random numbers (xorshift64).
///
/// The fixed seed makes a failure reproducible.
struct SeededNumbers {
    private var state: UInt64

    init(seed: UInt64) { state = seed | 1 }

    mutating func next(below bound: Int) -> Int {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Int(state >> 33) % max(1, bound)
    }
}

/// Passes the bytes to a parser in pieces, and returns its last result.
func parse(_ bytes: [UInt8], cutBy piece: (Int) -> Int = { _ in .max / 2 }) -> HTTPRequestParser.Progress {
    var parser = HTTPRequestParser()
    var progress = HTTPRequestParser.Progress.incomplete
    var start = 0
    while start < bytes.count {
        let end = min(bytes.count, start + max(1, piece(start)))
        progress = parser.receive(bytes[start..<end].span)
        start = end
    }
    return progress
}

func parse(_ text: String) -> HTTPRequestParser.Progress { parse(Array(text.utf8)) }
