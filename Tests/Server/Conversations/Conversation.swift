import Foundation

/// A conversation that every server must support.
///
/// It contains the bytes that the client sends, and the bytes that the server sends after the greeting.
public struct Conversation: Decodable, Sendable, CustomStringConvertible {
    /// A name that says what the conversation tests.
    public let name: String
    private let chunksHex: [String]
    private let answerHex: String

    /// All bytes that the client sends.
    public var input: [UInt8] { chunksHex.flatMap(bytes(ofHex:)) }
    /// The pieces in which the client sends its bytes.
    public var chunks: [[UInt8]] { chunksHex.map(bytes(ofHex:)) }
    /// The bytes that the server sends after the greeting.
    public var reply: [UInt8] { bytes(ofHex: answerHex) }
    /// The name of the conversation.
    public var description: String { name }

    /// The conversations in vectors.json.
    public static let all: [Conversation] = {
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
