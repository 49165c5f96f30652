/// Why a text is not an address.
public struct SocketAddressError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The text that was to be parsed.
    public let text: String

    /// What is wrong with it.
    public let reason: String

    init(_ text: String, _ reason: String) {
        self.text = text
        self.reason = reason
    }

    /// The text in quotes, and what is wrong with it.
    public var description: String { "'\(text)' \(reason)" }
}
