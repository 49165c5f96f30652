import Foundation
import Testing

/// A conversation that every server must support: the bytes that the client sends, and all bytes that the server sends
/// after the greeting.
struct Conversation: Decodable, Sendable, CustomTestStringConvertible {
    let name: String
    let chunksHex: [String]
    let answerHex: String

    var input: [UInt8] { chunksHex.flatMap(bytes(ofHex:)) }
    var chunks: [[UInt8]] { chunksHex.map(bytes(ofHex:)) }
    var reply: [UInt8] { bytes(ofHex: answerHex) }
    var testDescription: String { name }

    /// The conversations of vectors.json.
    static let all: [Conversation] = {
        struct File: Decodable { let vectors: [Conversation] }
        guard let url = Bundle.module.url(forResource: "vectors", withExtension: "json"),
            let data = try? Data(contentsOf: url)
        else { return [] }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return (try? decoder.decode(File.self, from: data).vectors) ?? []
    }()
}

private func bytes(ofHex hex: String) -> [UInt8] {
    let digits = Array(hex.utf8)
    return stride(from: 0, to: digits.count, by: 2).compactMap { index in
        UInt8(String(decoding: digits[index..<index + 2], as: UTF8.self), radix: 16)
    }
}

/// A generator of pseudorandom numbers that are the same in every run.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }
}
