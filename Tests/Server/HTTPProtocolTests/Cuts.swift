@testable import HTTPProtocol

/// A seeded random number generator (xorshift64), so that a failure can be repeated.
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

/// The result of a parser for bytes in pieces.
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
