/// The client's side of the protocol for one connection: the mirror of `ServerMachine`.
///
/// The machine frames payloads, recognizes the greeting, and compares each reply byte by byte with the expected reply.
/// Several requests may be in flight. Replies arrive in the order of their requests, and `receive` stops at the end of
/// each reply, so that the caller can continue with the next reply.
@frozen
public struct ClientMachine: BitwiseCopyable, Hashable, Sendable {
    /// Whether the greeting has arrived.
    public private(set) var isGreeted = false

    /// The number of bytes of the current reply that have arrived.
    public private(set) var checkedCount = 0

    /// Creates a machine for a new connection; the machine expects the greeting.
    public init() {}

    /// The result of checking received bytes.
    public enum Verdict: Hashable, Sendable {
        /// All bytes were consumed; more are expected.
        case needMore
        /// The expected reply is complete; the first `consumed` bytes belong to it and to the greeting before it.
        case complete(consumed: Int)
        /// The first byte of the connection is not the greeting.
        case wrongGreeting(actual: UInt8)
        /// A byte of the reply is wrong; `offset` counts from the start of the reply.
        case mismatch(offset: Int, expected: UInt8, actual: UInt8)
    }

    /// The reason why a payload cannot be framed.
    public enum FramingError: Error, Hashable, Sendable {
        /// The payload contains `$`, which would close the message.
        case closingByte(offset: Int)
        /// The output has less free capacity than the frame needs. The value is the needed capacity: the payload's
        /// size plus two bytes.
        case needsCapacity(Int)
    }

    /// Appends `^`, the payload and `$`.
    ///
    /// - Throws: `FramingError` if the payload cannot be framed. In that case nothing is appended.
    public static func frame(_ payload: Span<UInt8>, into output: inout OutputSpan<UInt8>) throws(FramingError) {
        guard output.freeCapacity >= 2, output.freeCapacity - 2 >= payload.count else {
            throw .needsCapacity(payload.count.addingReportingOverflow(2).partialValue)
        }
        for offset in payload.indices where payload[offset] == ServerMachine.closing {
            throw .closingByte(offset: offset)
        }
        output.append(ServerMachine.opening)
        for offset in payload.indices { output.append(payload[offset]) }
        output.append(ServerMachine.closing)
    }

    /// Compares received bytes with the expected reply.
    ///
    /// Earlier calls may have received the first part of the reply.
    ///
    /// - Parameters:
    ///   - bytes: bytes from the server, in pieces of any size.
    ///   - reply: the complete reply that is expected next. An empty reply is complete once the greeting has arrived.
    /// - Returns: the result. After `complete`, the machine expects the next reply.
    public mutating func receive(_ bytes: Span<UInt8>, expecting reply: Span<UInt8>) -> Verdict {
        var consumed = 0
        if !isGreeted {
            guard bytes.count > 0 else { return .needMore }
            guard bytes[0] == ServerMachine.greeting else { return .wrongGreeting(actual: bytes[0]) }
            isGreeted = true
            consumed = 1
        }
        while consumed < bytes.count, checkedCount < reply.count {
            if bytes[consumed] != reply[checkedCount] {
                return .mismatch(offset: checkedCount, expected: reply[checkedCount], actual: bytes[consumed])
            }
            consumed += 1
            checkedCount += 1
        }
        guard checkedCount >= reply.count else { return .needMore }
        checkedCount = 0
        return .complete(consumed: consumed)
    }
}
