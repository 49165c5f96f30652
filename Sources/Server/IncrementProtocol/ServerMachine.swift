/// The server's side of the protocol for one connection: bytes in, bytes out.
///
/// The machine has two states. While *waiting*, it ignores every byte until `^` opens a message. *In a message*, it
/// replies to each byte with the byte plus one, until `$` closes the message. The machine does no I/O and has no
/// buffer. It keeps only its state, one byte, from one call to the next. The bytes of a connection may therefore arrive
/// in pieces of any size.
@frozen
public struct ServerMachine: BitwiseCopyable, Hashable, Sendable {
    /// Whether a message is open.
    @inlinable public var isInMessage: Bool { state }

    @usableFromInline var state: Bool

    /// Creates a machine for a new connection; the machine waits for a message.
    @inlinable
    @inline(__always)
    public init() { state = false }

    /// The byte that opens a message: `^`.
    @inlinable public static var opening: UInt8 { 0x5E }

    /// The byte that closes a message: `$`.
    @inlinable public static var closing: UInt8 { 0x24 }

    /// The first byte that a server sends to a new client: `*`.
    @inlinable public static var greeting: UInt8 { 0x2A }

    /// Appends the greeting if the output has room for it.
    @inlinable
    public func greet(into output: inout OutputSpan<UInt8>) {
        if output.freeCapacity > 0 { output.append(ServerMachine.greeting) }
    }

    /// Consumes input and appends the reply to the output.
    ///
    /// The machine consumes at most `output.freeCapacity` bytes. If the output has room for the whole input, the
    /// machine consumes the whole input. A reply is never longer than its input.
    ///
    /// - Parameters:
    ///   - input: bytes from the client, in pieces of any size.
    ///   - output: the span to which the reply is appended.
    /// - Returns: the number of input bytes that were consumed.
    @inlinable
    @inline(__always)
    @discardableResult
    public mutating func receive(_ input: Span<UInt8>, into output: inout OutputSpan<UInt8>) -> Int {
        let count = min(input.count, output.freeCapacity)
        if count == 1 {
            receive(input[0], into: &output)
            return 1
        }
        state = Transformation.run(input, count: count, into: &output, isInMessage: state)
        return count
    }

    /// Consumes a single byte, which is the usual input from an interactive client.
    @inlinable
    @inline(__always)
    mutating func receive(_ byte: UInt8, into output: inout OutputSpan<UInt8>) {
        if !state {
            state = byte == ServerMachine.opening
        } else if byte == ServerMachine.closing {
            state = false
        } else {
            output.append(byte &+ 1)
        }
    }

    /// Tells the machine that the client has shut down its write side.
    ///
    /// An open message stays unfinished; this is not an error.
    @discardableResult
    public mutating func receiveEnd() -> EndOfInput {
        defer { state = false }
        return isInMessage ? .insideMessage : .betweenMessages
    }
}

/// The state of the machine at the end of a client's bytes.
public enum EndOfInput: Hashable, Sendable {
    /// Every message was closed.
    case betweenMessages
    /// A message was open; the machine has replied to the part that arrived.
    case insideMessage
}
