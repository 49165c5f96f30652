/// The client's side of the protocol for one connection: the mirror of `ServerMachine`.
///
/// It frames payloads, recognises the greeting, and checks each answer byte by byte against the expected one.
/// Several requests may be in flight: answers come in the order of their requests, and `receive` stops at the
/// end of each, so that the caller can go on with the next.
@frozen
public struct ClientMachine: BitwiseCopyable, Hashable, Sendable {
    /// Whether the greeting has come.
    public private(set) var isGreeted = false

    /// How many bytes of the current answer have come.
    public private(set) var answeredCount = 0

    /// Makes the machine of a new connection, which waits for the greeting.
    public init() {}

    /// What received bytes amount to.
    public enum Verdict: Hashable, Sendable {
        /// All bytes were consumed, and more are expected.
        case needMore
        /// The expected answer is complete; `consumed` bytes belong to it, or to the greeting before it.
        case complete(consumed: Int)
        /// The first byte of the connection is not the greeting.
        case wrongGreeting(actual: UInt8)
        /// A byte of the answer is wrong; `offset` counts from the beginning of the answer.
        case mismatch(offset: Int, expected: UInt8, actual: UInt8)
    }

    /// Why a payload cannot be framed.
    public enum FramingError: Error, Hashable, Sendable {
        /// The payload contains `$`, which would close the message.
        case closingByte(offset: Int)
        /// The output has no room for the frame, which takes two bytes more than the payload.
        case needsCapacity(Int)
    }

    /// Appends `^`, the payload and `$`.
    ///
    /// - Throws: where the payload cannot be framed; nothing is appended then.
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

    /// Checks received bytes against the expected answer, which may have come in part before.
    ///
    /// - Parameters:
    ///   - bytes: what has come from the server, cut anywhere.
    ///   - answer: the whole answer that is expected next. An empty one is complete once the greeting has come.
    /// - Returns: what the bytes amount to. After `complete`, the machine expects the next answer.
    public mutating func receive(_ bytes: Span<UInt8>, expecting answer: Span<UInt8>) -> Verdict {
        var consumed = 0
        if !isGreeted {
            guard bytes.count > 0 else { return .needMore }
            guard bytes[0] == ServerMachine.greeting else { return .wrongGreeting(actual: bytes[0]) }
            isGreeted = true
            consumed = 1
        }
        while consumed < bytes.count, answeredCount < answer.count {
            if bytes[consumed] != answer[answeredCount] {
                return .mismatch(offset: answeredCount, expected: answer[answeredCount], actual: bytes[consumed])
            }
            consumed += 1
            answeredCount += 1
        }
        guard answeredCount >= answer.count else { return .needMore }
        answeredCount = 0
        return .complete(consumed: consumed)
    }
}
