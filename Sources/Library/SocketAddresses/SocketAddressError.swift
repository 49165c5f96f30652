/// An error about a text that is not a valid address.
public struct SocketAddressError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The invalid text.
    public let text: String

    /// The reason why the text is invalid, for example "has no port after a colon".
    public let reason: String

    /// Makes an error from a text and the reason why it is invalid.
    public init(_ text: String, _ reason: String) {
        self.text = text
        self.reason = reason
    }

    /// The text in quotes, followed by the reason.
    public var description: String { "'\(text)' \(reason)" }
}
