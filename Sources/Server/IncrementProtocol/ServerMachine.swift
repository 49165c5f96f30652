/// The server's side of the protocol for one connection: bytes in, bytes out.
///
/// The machine has two states. *Waiting*, it ignores every byte until `^` opens a message; *in a message*, it
/// answers each byte with the byte plus one, until `$` closes the message. It does no I/O and holds no buffer:
/// its state is one byte, and survives wherever a connection's bytes are cut.
@frozen
public struct ServerMachine: BitwiseCopyable, Hashable, Sendable {
    /// Whether a message is open.
    @inlinable public var isInMessage: Bool { state }

    @usableFromInline var state: Bool

    /// Makes the machine of a new connection, which waits for a message.
    @inlinable
    @inline(__always)
    public init() { state = false }

    /// The byte that opens a message: `^`.
    @inlinable public static var opening: UInt8 { 0x5E }

    /// The byte that closes a message: `$`.
    @inlinable public static var closing: UInt8 { 0x24 }

    /// The byte that a server sends to a new client before anything else: `*`.
    @inlinable public static var greeting: UInt8 { 0x2A }

    /// Appends the greeting, if there is room for it.
    @inlinable
    public func greet(into output: inout OutputSpan<UInt8>) {
        if output.freeCapacity > 0 { output.append(ServerMachine.greeting) }
    }

    /// Consumes input and appends the answer to it.
    ///
    /// No more input is consumed than the output has free capacity: all of it, where the output has room for as
    /// many bytes as come in. An answer is never longer than its input.
    ///
    /// - Parameters:
    ///   - input: what has come from the client, cut anywhere.
    ///   - output: where the answer goes.
    /// - Returns: how many bytes of the input were consumed.
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

    /// Consumes one byte, as it comes from a client that types.
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

    /// The client has ended its side.
    ///
    /// A message that is open stays unfinished, which is no error.
    @discardableResult
    public mutating func receiveEnd() -> EndOfInput {
        defer { state = false }
        return isInMessage ? .insideMessage : .betweenMessages
    }
}

/// Where a client's bytes ended.
public enum EndOfInput: Hashable, Sendable {
    /// Every message was closed.
    case betweenMessages
    /// A message was open; what had come of it has been answered.
    case insideMessage
}
