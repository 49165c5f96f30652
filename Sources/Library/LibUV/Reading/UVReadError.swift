/// The reason why a `UVBufferedReader` cannot return an item.
///
/// The bytes of the incomplete item remain in the reader. If the stream itself fails, the reader throws a `UVError`.
public enum UVReadError: Error, Hashable, Sendable {
    /// The stream ended inside an item.
    ///
    /// - Parameters:
    ///   - received: the number of bytes that were received for the item.
    ///   - expected: the number of bytes that the item has, or `nil` if its length is unknown, for example because its
    ///     delimiter was not received.
    case endOfStream(received: Int, expected: Int?)

    /// The item is longer than the byte limit.
    ///
    /// - Parameter limit: the byte limit that the caller passed.
    case limitExceeded(limit: Int)
}

extension UVReadError: CustomStringConvertible {
    /// The reason in English, for example `the stream ended after 3 of 8 bytes`.
    public var description: String {
        switch self {
        case .endOfStream(let received, .some(let expected)): "the stream ended after \(received) of \(expected) bytes"
        case .endOfStream(let received, .none): "the stream ended inside an item, after \(received) bytes"
        case .limitExceeded(let limit): "the item exceeds the limit of \(limit) bytes"
        }
    }
}
